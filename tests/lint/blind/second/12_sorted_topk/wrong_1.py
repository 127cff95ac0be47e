from collections import Counter
from pathlib import Path


def word_counts(path: Path) -> Counter:
    counts: Counter = Counter()
    with path.open(encoding="utf-8") as fh:
        for line in fh:
            counts.update(line.lower().split())
    return counts


def top_words(path: Path, k: int = 25) -> list[tuple[str, int]]:
    counts = word_counts(path)
    return sorted(counts.items(), key=lambda kv: kv[1], reverse=True)[:k]
