"""The naive twin of `words`: all texts in a list, joined, split into words, and counted.

Covers:     reading whole files, a list of all words, a `Counter`.
Not here:   the same a piece at a time (`tour.steps.words`).
Holds:      all texts, all of them once more, all words.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from flatwater.tour.naive.paths import below

if TYPE_CHECKING:
    from flatwater.tour.twin import Task


def run(task: Task) -> int:
    """Count the words of as many bytes of text as the step read; how many there are."""
    texts = []
    read = 0
    for path in below(task.roots):
        with open(path, encoding="utf-8", errors="replace") as file:
            texts.append(file.read())
        read += len(texts[-1])
        if read >= task.bytes:
            break
    words = re.findall(r"[^\W\d_]+", "\n".join(texts).lower())
    counts = Counter(words)
    assert len(counts.most_common(10)) <= len(words)
    return len(words)
