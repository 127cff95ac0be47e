"""How many items may be in one batch: weighed by some of them, so that all together stay within a number of bytes.

Covers:     a weight for a list of items, how many to take at a time, lists that are handed on and not kept.
Not here:   what an item weighs (`sizing.sizer`), who makes items (`pipeline.sources`, `pipeline.stages`).
Holds:      a sizer's calibrations.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Iterator
from gc import get_referents
from itertools import islice
from sys import getrefcount, getsizeof
from time import perf_counter
from typing import Any, final

from flatwater import limits
from flatwater.pipeline.report import Gauge
from flatwater.sizing.sizer import Sizer

_TAKEN_MAX = 64  # items that are made before one of them is weighed: as many may suddenly be heavy
_SAMPLE = 4  # items that are weighed when one is much heavier than those before
_HEAVIER = 2.0  # times as heavy
_STEP = 7  # from the place of one that is weighed to the place of the next: every eighth may be of one kind
_PATIENCE_S = 0.05  # that the first item of a batch waits for others
_SMOOTHED = 0.25  # how much the newest one counts
_SLOT_BYTES = 8  # of an item in a list
_SLOW_S = 0.002  # items that take longer to be weighed are of thousands of objects, or refer to what others have, too
_PAUSE = 10  # times as long as that took, the next ones are taken to be like it
_REFERENCES_OWN = 3  # to what a view shows: its own, a variable's, an argument's
_SCALARS = frozenset({int, float, str, bytes, bool, type(None)})
_EXACT = _SCALARS | {bytearray}  # that refer to nothing else


@final
class Weigher:
    """Bounds the batches of one stage. For one thread at a time.

    One item of each 64 is weighed, and four where that one is much heavier than those before: 5 us for each 64.

    Args:
        bytes_max: heap bytes of one batch; one item that is larger is a batch by itself.
        rows_max: items of one batch.
    """

    def __init__(self, bytes_max: int, rows_max: int) -> None:
        self.bytes_max = bytes_max
        self.rows_max = rows_max
        self.at_once = 1  # items to make now: doubled as long as they fit
        self._sizer = Sizer()
        self._mean = 0.0  # heap bytes of an item
        self._turn = 0
        self._pause_s = 0.0  # until this time, nothing is weighed

    def weigh(self, items: list[Any]) -> int:
        """About how many heap bytes `items` take; from now on, as many at once as fit."""
        count = len(items)
        if not count:
            return 0
        begun = perf_counter()
        if begun >= self._pause_s:
            self._look(items)
            if (took_s := perf_counter() - begun) > _SLOW_S:
                self._pause_s = begun + took_s * _PAUSE
        each = max(1.0, self._mean)
        if each >= limits.FLOW_LARGE_BYTES:
            self.at_once = 1
        else:
            self.at_once = max(1, min(_TAKEN_MAX, self.rows_max, 2 * self.at_once, int(self.bytes_max / each)))
        return int(each * count)

    def weigh_each(self, items: list[Any]) -> int:
        """The same, with each of them looked at: texts and bytes exactly, others at least without what they refer to."""
        size = self.weigh(items)
        kinds: set[Any] = {*map(type, items)}
        with contextlib.suppress(Exception):  # whatever somebody's __sizeof__ raises
            sizes = map(next(iter(kinds)).__sizeof__ if len(kinds) == 1 else getsizeof, items)
            each = int(sum(sizes)) + _SLOT_BYTES * len(items)
            return each if kinds <= _EXACT else max(size, each)
        return size

    def _look(self, items: list[Any]) -> None:
        """Weigh some of them."""
        self._turn += _STEP
        weight = self._weight(items[self._turn % len(items)])
        if weight > _HEAVIER * self._mean:
            sample = items[:: -(-len(items) // _SAMPLE)]
            weights = [weight] if len(items) == 1 else [*map(self._weight, sample)]
            self._mean = max(sum(weights) / len(weights), self._mean)
        else:
            self._mean += (weight - self._mean) * _SMOOTHED

    def _weight(self, item: Any) -> int:
        if type(item) in _SCALARS:  # whose references a sizer would count: it stands for itself here
            return getsizeof(item) + _SLOT_BYTES
        if type(told := getattr(item, "heap_bytes", None)) is int:  # it knows, and is not walked through
            return told + _SLOT_BYTES
        if (shown := _shown_bytes(item)) >= 0:
            return shown + getsizeof(item) + _SLOT_BYTES
        return self._sizer.row(item) + _SLOT_BYTES

    @property
    def is_heavy(self) -> bool:
        """Whether items are so large that it does not pay to put them together."""
        return self._mean >= limits.FLOW_LARGE_BYTES

    def weight_of(self, items: list[Any]) -> int:
        """About how many heap bytes `items` take, as those before them did."""
        return int(self._mean * len(items))

    def parts(self, items: list[Any]) -> list[list[Any]]:
        """`items`, which are there already, in lists that fit."""
        size = self.weigh(items)
        if size <= self.bytes_max and len(items) <= self.rows_max:
            return [items]
        fitting = max(1, min(self.rows_max, int(self.bytes_max / max(1.0, self._mean))))
        return [items[first : first + fitting] for first in range(0, len(items), fitting)]

    def batches(self, items: Iterable[Any], gauge: Gauge | None = None) -> Iterator[list[Any]]:
        """`items` in lists that fit: full ones, but for the last, and where items have not come for a while.

        Large items come alone.
        """
        large = limits.FLOW_LARGE_BYTES
        turns = iter(items)
        try:
            until = perf_counter() + _PATIENCE_S
            while batch := list(islice(turns, self.at_once)):
                size = self.weigh(batch)
                while size < self.bytes_max and len(batch) < self.rows_max and self._mean < large:
                    if perf_counter() > until:
                        self.at_once = 1  # so that the first of the next ones need not wait for others
                        break
                    fitting = (self.bytes_max - size) * len(batch) // max(1, size)
                    more = list(islice(turns, max(1, min(self.at_once, fitting, self.rows_max - len(batch)))))
                    if not more:
                        break
                    size += self.weigh(more)
                    batch += more
                    del more
                if gauge is not None:
                    gauge.bytes_out += size
                box = [batch]
                del batch
                yield box.pop()  # nobody but the consumer holds it now
                until = perf_counter() + _PATIENCE_S
        finally:
            if isinstance(turns, Generator):  # now, and not when the last traceback of an error is gone
                turns.close()


def _shown_bytes(item: Any) -> int:
    """What a memoryview or an array shows of memory that others hold, too, such as a slice of a large one; else -1."""
    owner: Any = None
    if type(item) is memoryview:
        buffer = get_referents(item)[0]  # a slice shares it with what it was cut from
        if getrefcount(buffer) > _REFERENCES_OWN:
            return item.nbytes
        owner = item.obj
    elif type(item).__module__ == "numpy":
        owner = getattr(item, "base", None)
    return int(item.nbytes) if owner is not None and getrefcount(owner) > _REFERENCES_OWN else -1
