from collections import Counter
from pathlib import Path


def status_histogram(access_log: Path) -> Counter:
    counts: Counter = Counter()
    text = access_log.read_text(encoding="utf-8", errors="replace")
    for line in text.splitlines():
        parts = line.split('"')
        if len(parts) < 3:
            continue
        status = parts[2].split()[0]
        counts[status] += 1
    return counts
