import re
from collections import Counter
from pathlib import Path

LINE = re.compile(r'^(\S+) \S+ \S+ \[[^\]]+\] "(\S+) (\S+)')


def count_hits(log_file: Path) -> Counter:
    hits = Counter()
    text = log_file.read_text(encoding="utf-8", errors="replace")
    for line in text.splitlines():
        match = LINE.match(line)
        if match is None:
            continue
        _, method, url = match.groups()
        if method == "GET":
            hits[url.split("?")[0]] += 1
    return hits


if __name__ == "__main__":
    for url, n in count_hits(Path("/var/log/nginx/access.log")).most_common(20):
        print(n, url)
