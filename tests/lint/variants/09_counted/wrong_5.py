import re

PATTERN = re.compile(r"timeout after \d+ms")


def count_timeouts(logfile):
    with open(logfile) as fh:
        hits = [line for line in fh if PATTERN.search(line)]
    print(f"{len(hits)} timeouts")
    return len(hits)
