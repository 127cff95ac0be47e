def count_lines(path):
    with open(path) as fh:
        return len(list(fh))
