import re
from collections import Counter

ERROR = re.compile(r"ERROR \[(?P<component>[\w.]+)\]")


def errors_by_component(path: str) -> Counter:
    counts: Counter = Counter()
    with open(path, encoding="utf-8", errors="replace") as fh:
        for line in fh:
            found = ERROR.search(line)
            if found:
                counts[found["component"]] += 1
    return counts


if __name__ == "__main__":
    print(errors_by_component("/var/log/dispatch/worker.log"))
