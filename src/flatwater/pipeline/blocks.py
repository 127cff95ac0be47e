"""Sorted inputs into one, block by block: what is below the smallest of the last keys is sorted by one call.

Covers:     the merge of blocks, stable by the order of the inputs; sorting items by keys that are there; what cannot be compared.
Not here:   where blocks come from (`pipeline.sorting`, `pipeline.merging`).
Holds:      one block of each input.

`heapq.merge` costs a turn of the interpreter for each item. Here, of each block as much as is safe is cut off by bisection,
and `list.sort`, which finds the sorted stretches itself, merges them in C.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, pairwise
from sys import getsizeof
from typing import Any, Final, final

from flatwater.pipeline.place import Batch, Place
from flatwater.pipeline.policy import shown
from flatwater.sizing.sizer import Sizer

Block = tuple[list[Any], list[Any]]  # keys and items, in order; one list where items are their own keys

_FIRST_ROWS = 16  # of the first list that is cut: it is not known yet what an item weighs
_FILLED = 0.9  # of the bytes that a list is meant to have, so that it seldom has to be cut again
_SLOT_BYTES = 16  # beside an object's own size: its place in a list, and what its allocator rounds up
_SCALARS: Final = frozenset({int, float, bool, type(None)})


@final
class Scale:
    """Weighs keys and items, every one of them, and cuts lists that stay within bytes. For one thread at a time."""

    def __init__(self) -> None:
        self._sizer = Sizer()
        self._rows = _FIRST_ROWS

    def weigh(self, keys: list[Any], items: list[Any]) -> int:
        """Heap bytes of both."""
        return self._weigh(items) if keys is items else self._weigh(items) + self._weigh(keys)

    def _weigh(self, values: list[Any]) -> int:
        kind = type(values[0])
        try:
            if kind is str:  # one of another type is refused
                return sum(map(str.__sizeof__, values)) + _SLOT_BYTES * len(values)
            if kind is bytes:
                return sum(map(bytes.__sizeof__, values)) + _SLOT_BYTES * len(values)
        except TypeError:
            return self._sizer.batch(values)
        if _SCALARS.issuperset(map(type, values)):  # they refer to nothing, so that each may be taken for itself
            return sum(map(getsizeof, values)) + _SLOT_BYTES * len(values)
        return self._sizer.batch(values)

    def cut(self, keys: list[Any], items: list[Any], bytes_max: int, rows_max: int) -> Iterator[tuple[int, Block]]:
        """Both in pieces that fit, with their weight, in order; the lists are emptied on the way. One heavy item comes alone."""
        is_one = keys is items
        items.reverse()
        if not is_one:
            keys.reverse()
        while items:
            rows = min(self._rows, rows_max, len(items))
            while True:
                part = items[-rows:]
                part_keys = part if is_one else keys[-rows:]
                size = self.weigh(part_keys, part)
                if size <= bytes_max or rows == 1:
                    break
                rows = max(1, min(rows // 2, int(rows * bytes_max / size)))
            self._rows = max(1, min(2 * rows, int(rows * _FILLED * bytes_max / size)))
            del items[-rows:]
            part.reverse()
            if not is_one:
                del keys[-rows:]
                part_keys.reverse()
            box = [(size, (part_keys, part))]
            del part, part_keys
            yield box.pop()

    def batches(self, box: list[list[Any]], place: Place) -> Iterator[Batch]:
        """A list, which is taken out of its box, as batches of a run."""
        items = box.pop()
        for size, (_keys, batch) in self.cut(items, items, place.batch_bytes, place.batch_rows):
            place.gauge.bytes_out += size
            box = [batch]
            del batch, _keys
            yield box.pop()


def sort_by(keys: list[Any], items: list[Any], *, reverse: bool) -> None:
    """Sort items by their keys, and leave the keys as they are. Stable.

    Raises:
        TypeError: two keys cannot be compared; a note says which. Or whatever comparing them raises.
    """
    try:
        if keys is items:
            items.sort(reverse=reverse)
        else:
            items.sort(key=partial(next, iter(keys)), reverse=reverse)  # it asks for one item after another
    except Exception as error:
        blame(keys, error)
        raise


def blame(keys: Sequence[Any], error: Exception) -> None:
    """Say which two keys cannot be compared."""
    for one, other in pairwise(keys):
        try:
            if one < other:
                continue
        except Exception:  # noqa: BLE001 - these are the ones
            error.add_note(
                f"flatwater: the keys {shown(one)} and {shown(other)} cannot be compared. "
                "Give a key that makes all of one kind, such as key=lambda item: (item is None, item or 0)."
            )
            return


def merged(inputs: Sequence[Iterator[Block]], *, reverse: bool, wants_keys: bool) -> Iterator[Block]:
    """The items of all inputs, each of which is sorted, in lists that are sorted on. Stable: first those of the first input.

    Args:
        inputs: one block at a time is taken of each, when it is wanted.
        reverse: they are sorted downwards.
        wants_keys: keys are handed on sorted, too; else they may be anything.

    Raises:
        TypeError: keys of two inputs cannot be compared; a note says which.
    """
    heads = [_Head(each) for each in inputs]
    while True:
        heads = [head for head in heads if head.is_filled()]
        if not heads:
            return
        if len(heads) == 1:
            keys, items = heads[0].all()
            box = [(keys, items)]
            del keys, items
            yield box.pop()
            continue
        try:
            keys, items = _safe(heads, reverse=reverse)
        except Exception as error:
            blame([key for head in heads for key in (head.keys[0], head.keys[-1])], error)
            raise
        sort_by(keys, items, reverse=reverse)
        if wants_keys and keys is not items:
            keys.sort(reverse=reverse)
        box = [(keys, items)]
        del keys, items
        yield box.pop()


@final
class _Head:
    """The block of one input."""

    __slots__ = ("input", "items", "keys")

    def __init__(self, blocks: Iterator[Block]) -> None:
        self.input = blocks
        self.keys: list[Any] = []
        self.items: list[Any] = []

    def is_filled(self) -> bool:
        """Whether there is something, which is fetched if need be."""
        while not self.items:
            found = next(self.input, None)
            if found is None:
                return False
            self.keys, self.items = found
        return True

    def all(self) -> Block:
        """The whole block."""
        keys, items = self.keys, self.items
        self.keys, self.items = [], []
        return keys, items

    def taken(self, count: int) -> Block:
        """The first so many."""
        if count == len(self.items):
            return self.all()
        items = self.items[:count]
        if self.keys is self.items:
            del self.items[:count]
            return items, items
        keys = self.keys[:count]
        del self.keys[:count], self.items[:count]
        return keys, items


def _safe(heads: list[_Head], *, reverse: bool) -> Block:
    """All that comes before, or is as good as, the last key of some block: nothing that is still to come is before it.

    Equal keys of a later input wait until the input whose block ends with that key has no more of them.
    """
    at, bound = 0, heads[0].keys[-1]
    for number, head in enumerate(heads):
        last = head.keys[-1]
        if (bound < last) if reverse else (last < bound):
            at, bound = number, last
    parts: list[Block] = []
    for number, head in enumerate(heads):
        if number == at:
            parts.append(head.all())
        elif count := _count(head.keys, bound, with_equal=number < at, reverse=reverse):
            parts.append(head.taken(count))
    items = list(chain.from_iterable(part for _keys, part in parts))
    if all(keys is part for keys, part in parts):
        return items, items
    return list(chain.from_iterable(keys for keys, _part in parts)), items


def _count(keys: list[Any], bound: Any, *, with_equal: bool, reverse: bool) -> int:
    """How many keys come before the bound."""
    found = bisect_right if with_equal else bisect_left
    return found(keys, _Flipped(bound), key=_Flipped) if reverse else found(keys, bound)


@final
class _Flipped:
    """A key that is less where it is greater."""

    __slots__ = ("key",)

    def __init__(self, key: Any) -> None:
        self.key = key

    def __lt__(self, other: _Flipped) -> bool:
        return bool(other.key < self.key)
