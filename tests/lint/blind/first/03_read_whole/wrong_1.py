import re
import sys
from collections import Counter

LINE = re.compile(r'^(\S+) \S+ \S+ \[.*?\] "(\S+) (\S+)')


def hits_by_path(log_path: str) -> Counter:
    hits: Counter = Counter()
    with open(log_path, encoding="utf-8", errors="replace") as log:
        for entry in log.readlines():
            match = LINE.match(entry)
            if match:
                hits[match.group(3)] += 1
    return hits


if __name__ == "__main__":
    for path, n in hits_by_path(sys.argv[1]).most_common(20):
        print(n, path)
