"""Ten million numbers: made in advance, and made while they are looked at.

Covers:     a list of all numbers, and the range itself.
Not here:   what was measured, and what it means (`tour.lab.ranges`).
Holds:      `as_list` about 40 bytes a number; `as_range` one number.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

Moment = str | tuple[str, Any]


def as_list(count: int) -> Generator[Moment, None, int]:
    """Makes all the numbers, then adds them up."""
    numbers = list(range(count))
    yield "made", numbers
    return sum(numbers)


def as_range(count: int) -> Generator[Moment, None, int]:
    """Adds the numbers up as they are made."""
    numbers = range(count)
    yield "made", numbers
    return sum(numbers)
