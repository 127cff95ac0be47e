from concurrent.futures import ThreadPoolExecutor


def convert(rows, convert_one):
    with ThreadPoolExecutor(max_workers=10) as executor:
        for result in executor.map(convert_one, read_rows(rows)):
            print(result)


def read_rows(path):
    with open(path) as fh:
        for line in fh:
            yield line.rstrip().split(";")
