from multiprocessing import Pool


def score_lines(path, score):
    handles = []
    with Pool(4) as pool:
        with open(path) as fh:
            for line in fh:
                handles.append(pool.apply_async(score, (line,)))
        return sum(h.get() for h in handles)
