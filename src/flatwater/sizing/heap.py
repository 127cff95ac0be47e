"""Walk from an object to everything it refers to, and add up what that costs the heap.

Covers:     shared references once, cycles, no recursion, a bound on the walk, even samples of long containers.
Not here:   what one object costs (`sizing.objects`), what the operating system sees (`meter`), deep size by a library
            (`meter.size_of`).
Holds:      nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from sys import getrefcount
from typing import Protocol

from flatwater.sizing.objects import children_of, own_bytes

WALK_OBJECTS_MAX = 1 << 20  # one walk looks at no more objects than this: a second or two

SHARERS_MIN = 4  # fewer references may be a caller's variable and a page of rows, not a constant
_SHARE_MIN = 1 / 256  # what so many share is not followed further


def heap_bytes(obj: object, *, objects_max: int = WALK_OBJECTS_MAX) -> int:
    """Bytes that `obj` and everything it refers to cost the heap; shared references count once.

    What belongs to the program rather than to the data costs 0: classes, functions, modules, enum members, None,
    True, small integers, one-character strings, the empty tuple. Cycles are safe, nothing recurses, and no `__dict__`
    comes into being by being looked at. Arrays of numpy, pyarrow, pandas and polars are asked for their own size.

    Args:
        obj: anything.
        objects_max: the walk looks at about so many objects; the rest is counted at the mean of those. A container
            with more than 65,536 elements is sampled evenly instead of walked whole.

    Returns:
        Bytes, an estimate: 0.8 to 1.25 of the growth in anonymous memory where many such objects are held.

    Raises:
        ValueError: `objects_max` is not a whole number of 1 or more.

    An object costs about as much CPU as 30 empty function calls. Holds the ids seen and the references of one path
    down. Safe from any thread; what another thread changes meanwhile may or may not be counted.

    >>> heap_bytes(None), heap_bytes(7), heap_bytes("x")
    (0, 0, 0)
    >>> heap_bytes(b"x" * 1000)  # 33 bytes of header and malloc's own 8, rounded to 16
    1056
    >>> word = "".join(["twice ", "the same"])
    >>> heap_bytes([word, word]) == heap_bytes([word, None])
    True
    """
    if isinstance(objects_max, bool) or not isinstance(objects_max, int) or objects_max < 1:
        raise ValueError(f"objects_max={objects_max!r} is not a whole number of 1 or more")
    return round(walk(obj, objects_max, None))


class Shares(Protocol):
    """Decides which part of a value one row pays."""

    def share(self, value: object, owners: int) -> float:
        """The part of `value`, between 0 and 1, that falls on one of `owners` references."""
        ...


def walk(obj: object, objects_max: int, shares: Shares | None) -> float:
    """Bytes of `obj` and what it refers to; with `shares`, what others refer to as well is divided."""
    seen = {id(obj)}
    children, ratio = children_of(obj)
    total = own_bytes(obj, children)
    looked_at = 1
    pending = [_Level(_fresh(children, seen), ratio, total)]
    del children  # one reference less on each child: they are counted below
    while pending and looked_at < objects_max:
        level = pending[-1]
        for child in level.left:
            looked_at += 1
            level.done += 1
            share = level.weight
            # References of ours: the level's list, `child`, and the argument. A weight above 1 means sampled.
            owners = getrefcount(child) - 3
            if shares is not None:
                share *= shares.share(child, owners)
            elif share > 1 and owners >= SHARERS_MIN:
                share /= owners
            if not share:
                continue
            below, ratio = children_of(child)
            total += share * own_bytes(child, below)
            if below and share >= _SHARE_MIN:
                pending.append(_Level(_fresh(below, seen), share * ratio, total))
                del below
                break
            if looked_at >= objects_max:
                break
        else:
            pending.pop()
    while pending:  # the bound was reached: what is left of a level is like what was done of it
        level = pending.pop()
        if level.done:
            total += (total - level.total_before) / level.done * sum(1 for _ in level.left)
    return total


class _Level:
    """What one object refers to, on the way down."""

    __slots__ = ("done", "left", "total_before", "weight")

    def __init__(self, children: list[object], weight: float, total: float) -> None:
        self.left = iter(children)
        self.weight = weight
        self.done = 0
        self.total_before = total


def _fresh(children: Sequence[object], seen: set[int]) -> list[object]:
    """Those of `children` not seen before, each once."""
    unique = {id(child): child for child in children if id(child) not in seen}
    seen.update(unique)
    return list(unique.values())
