"""Some of a text around what was asked for, with where the words stand in it.

Covers:     finding words without their accents and case, the densest window, cutting it at spaces.
Not here:   which text (`searching`).
Holds:      the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from flatwater import limits

_ELLIPSIS = "…"


def snippet_of(text: str, words: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """At most `limits.INGEST_SNIPPET_CHARS` characters of a text on one line, and where the words stand in these.

    >>> snippet_of("A budget is a fixed number of bytes.", ["fixed", "BYTES"])
    ('A budget is a fixed number of bytes.', ((14, 19), (30, 35)))
    """
    text = " ".join(text.split())
    found = _found(text, words)
    if len(text) <= limits.INGEST_SNIPPET_CHARS:
        return text, tuple(found)
    start = _densest(found)
    stop = min(start + limits.INGEST_SNIPPET_CHARS - 2 * len(_ELLIPSIS), len(text))
    start = max(0, stop - limits.INGEST_SNIPPET_CHARS + 2 * len(_ELLIPSIS))
    if start:
        start = text.find(" ", start, start + limits.INGEST_SNIPPET_CHARS // 4) + 1 or start
    if stop < len(text):
        space = text.rfind(" ", stop - limits.INGEST_SNIPPET_CHARS // 4, stop)
        stop = space if space > start else stop
    before = _ELLIPSIS if start else ""
    after = _ELLIPSIS if stop < len(text) else ""
    shift = len(before) - start
    inside = tuple((low + shift, high + shift) for low, high in found if start <= low and high <= stop)
    return f"{before}{text[start:stop]}{after}", inside


def _found(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where whole words stand, as the index of words compares them: without accents and case."""
    wanted = sorted({_folded(word) for word in words if re.search(r"\w", _folded(word))}, key=len, reverse=True)
    if not wanted:
        return []
    folded = _folded(text)
    if len(folded) != len(text):  # a letter that became several: then places would not be the text's
        folded = text.lower() if len(text.lower()) == len(text) else text
    pattern = "|".join(r"\W+".join(map(re.escape, re.findall(r"\w+", word))) for word in wanted)
    return [match.span() for match in re.finditer(rf"(?<!\w)(?:{pattern})(?!\w)", folded)]


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    return "".join(unicodedata.normalize("NFD", letter)[0].lower() for letter in text)


def _densest(found: Sequence[tuple[int, int]]) -> int:
    """Where the window begins that has most words, with some of what stands before them."""
    best, at = 0, 0
    room = limits.INGEST_SNIPPET_CHARS * 3 // 4
    for number, (low, _high) in enumerate(found):
        count = sum(1 for each, _ in found[number : number + 50] if each < low + room)
        if count > best:
            best, at = count, low
    return max(0, at - limits.INGEST_SNIPPET_CHARS // 8)
