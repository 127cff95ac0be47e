"""Make many objects, free most of them, and give back what can be given: in orders that leave different amounts behind.

Covers:     everything freed, newest first; one in a hundred kept, of small objects and of larger ones.
Not here:   what was measured, and what it means (`tour.lab.retention`).
Holds:      all objects at once, at first.

Small is what Python's own allocator takes (up to 512 bytes); larger blocks come from the C library's malloc.
"""

from __future__ import annotations

from collections.abc import Generator

from flatwater.meter.retained import trim

KEPT_ONE_IN = 100
LARGE_BYTES = 2_000


def all_freed(count: int) -> Generator[str, None, int]:
    """Frees every object, the last allocated first."""
    rows = [{"n": n} for n in range(count)]
    yield "made"
    while rows:
        rows.pop()
    yield "freed"
    del rows
    trim()
    yield "trimmed"
    return count


def small_survivors(count: int) -> Generator[str, None, int]:
    """Frees all but one small object in a hundred."""
    rows = [{"n": n} for n in range(count)]
    yield "made"
    rows = rows[::KEPT_ONE_IN]
    yield "freed"
    trim()
    yield "trimmed"
    return len(rows) * KEPT_ONE_IN


def large_survivors(count: int) -> Generator[str, None, int]:
    """Frees all but one larger block in a hundred; about as many bytes in all, in fewer objects."""
    pages = [bytes(LARGE_BYTES) for _ in range(count // 10)]
    yield "made"
    pages = pages[::KEPT_ONE_IN]
    yield "freed"
    trim()
    yield "trimmed"
    return len(pages) * KEPT_ONE_IN * 10
