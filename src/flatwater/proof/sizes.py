"""The sizes at which a scenario is run: "25k..400k", or a list that rises.

Covers:     ranges as doublings, lists, what makes sense of neither; the sizes after the last one.
Not here:   what is measured at each (`proof.points`).
Holds:      a dozen numbers.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Iterable

from flatwater import errors, limits, units

SIZES_MIN = 5  # four increments: fewer cannot tell a plateau from growth
SPAN_MIN = 4  # the last over the first: two doublings, over which a constant is judged
_RANGE = ".."
_HINT = "Write a range such as 25k..400k, or five or more sizes that rise."


def parse_sizes(value: str | Iterable[int | str]) -> list[int]:
    """Sizes that rise, `SIZES_MIN` or more, the last at least `SPAN_MIN` times the first.

    A range becomes steps of one factor, at most 2: "25k..400k" is 25k, 50k, 100k, 200k, 400k.

    Raises:
        UsageError: they are too few, too close, too many, shrink, or are no counts.

    >>> parse_sizes("25k..400k")
    [25000, 50000, 100000, 200000, 400000]
    >>> parse_sizes([10, 20, 40, 80, "160"])
    [10, 20, 40, 80, 160]
    """
    if isinstance(value, str) and _RANGE in value:
        low, _, high = value.partition(_RANGE)
        if high.startswith("."):  # .16k is a number, and nobody means it
            raise errors.UsageError(f"sizes: {high!r} is not a count.", hint=_HINT)
        sizes = _spread(_count(low), _count(high), value)
    else:
        words = value.split(",") if isinstance(value, str) else value
        try:
            sizes = [_count(word) for word in words]
        except TypeError:
            raise errors.UsageError(f"sizes: {value!r} is not a list of counts.", hint=_HINT) from None
    for before, after in itertools.pairwise(sizes):
        if after <= before:
            how = "is there twice" if after == before else f"comes after {before:,}: they must rise"
            raise errors.UsageError(f"sizes: {after:,} {how}.", hint=_HINT)
    if len(sizes) < SIZES_MIN:
        raise errors.UsageError(
            f"sizes: {len(sizes)} of them; a verdict needs {SIZES_MIN} or more.",
            hint="With fewer, a cache that fills looks like growth. " + _HINT,
        )
    if sizes[-1] < SPAN_MIN * sizes[0]:
        raise errors.UsageError(
            f"sizes: {sizes[-1]:,} is less than {SPAN_MIN} times {sizes[0]:,}, too close to see growth.", hint=_HINT
        )
    if len(sizes) > limits.PROOF_SIZES_MAX:
        raise errors.UsageError(f"sizes: {len(sizes)} of them; at most {limits.PROOF_SIZES_MAX}.", hint=_HINT)
    return sizes


def _distinct(sizes: list[int]) -> list[int]:
    """Small ones that were rounded to the same number move apart.

    >>> _distinct([1, 1, 2, 3, 5])
    [1, 2, 3, 4, 5]
    """
    for index in range(1, len(sizes) - 1):
        sizes[index] = max(sizes[index], sizes[index - 1] + 1)
    for index in range(len(sizes) - 2, 0, -1):
        sizes[index] = min(sizes[index], sizes[index + 1] - 1)
    return sizes


def next_sizes(sizes: list[int], count: int) -> list[int]:
    """`count` more doublings.

    >>> next_sizes([10, 20], 2)
    [40, 80]
    """
    return [sizes[-1] << (number + 1) for number in range(count)]


def _count(word: int | str) -> int:
    try:
        is_index = not isinstance(word, bool) and hasattr(word, "__index__")  # numpy's, too
        count = units.parse_count(operator.index(word) if is_index else word)  # type: ignore[arg-type]  # it was asked
    except ValueError as error:
        raise errors.UsageError(f"sizes: {error}.", hint=_HINT) from None
    if not 1 <= count <= limits.PROOF_N_MAX:
        raise errors.UsageError(f"sizes: {word!r} is not between 1 and {limits.PROOF_N_MAX:,}.", hint=_HINT)
    return count


def _spread(low: int, high: int, shown: str) -> list[int]:
    if high <= low:
        raise errors.UsageError(f"sizes: {shown!r} does not rise.", hint=_HINT)
    if high < SPAN_MIN * low:
        raise errors.UsageError(
            f"sizes: {shown!r}: the end is less than {SPAN_MIN} times the beginning, too close to see growth.",
            hint=_HINT,
        )
    if high - low < SIZES_MIN - 1:
        raise errors.UsageError(
            f"sizes: {shown!r} has no {SIZES_MIN} sizes in it, which a verdict needs.",
            hint=_HINT,
        )
    steps = max(SIZES_MIN - 1, math.ceil(math.log2(high / low) - 1e-9))
    # A wide range is left at its lower end: what decides is at the upper one.
    first = max(0, steps + 1 - limits.PROOF_SIZES_MAX)
    factor = (high / low) ** (1 / steps)
    sizes = [round(low * factor**step) for step in range(first, steps)] + [high]
    return _distinct(sizes)
