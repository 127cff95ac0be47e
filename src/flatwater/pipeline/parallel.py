"""Call a function for several items at a time, in threads, with a bound on the bytes of what is under way and of what waits.

Covers:     parts of batches, results in order or as they come, ending early.
Not here:   what a single call does (`pipeline.stages`).
Holds:      inputs under way, and results that wait behind a slow one; see `Parallel.bytes_max`.

A result that waits takes room as an input does: both are counted, so that a slow item at the head stops the intake and not
the program. What a part will weigh when it is done is told by those before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextvars import copy_context
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, final

from flatwater import limits
from flatwater.pipeline.place import Batch, Place
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.stages import Function, called, name_of

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_PART_S = 0.002  # that a part should take at least: handing it to a thread and back costs about 50 us
_PART_ITEMS_MAX = 64


@dataclass(frozen=True, slots=True)
class Parallel:
    """The function's result in place of each item, from several threads."""

    function: Function
    workers: int
    window_bytes: int
    ordered: bool

    @property
    def name(self) -> str:
        """For people."""
        return f"pmap({name_of(self.function)}, {self.workers} threads)"

    def bytes_max(self, batch_bytes: int) -> int:
        """The most it holds, in bytes, beside the largest item and its result for each worker."""
        total = 0
        total += self.window_bytes  # inputs under way, and results that wait
        total += batch_bytes  # the batch that parts are cut from
        return total

    def over(self, batches: Iterator[Batch], place: Place) -> Iterator[Batch]:
        """Results, in the order of their items if that was asked for."""
        return _Window(self, place).run(batches)


@final
class _Part:
    """Some items under way, or their results."""

    __slots__ = ("asked", "future", "gauge", "is_weighed", "size", "took_s")

    def __init__(self, asked: int, size: int, gauge: Gauge) -> None:
        self.asked = asked  # bytes of its items
        self.size = size  # that it takes now
        self.is_weighed = False  # its results are there, and `size` is theirs
        self.gauge = gauge
        self.took_s = 0.0
        self.future: Future[Batch]


@final
class _Window:
    """The parts of one run."""

    def __init__(self, stage: Parallel, place: Place) -> None:
        self._stage = stage
        self._weigher = place.weigher()  # of items
        self._results = place.weigher()
        self._gauge = place.gauge
        self._policy = place.policy
        self._parts: deque[_Part] = deque()
        self._at_once = 1  # items of a part
        self._ratio = 1.0  # bytes of results, for each byte of items
        self._context = copy_context()

    def run(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        from concurrent.futures import ThreadPoolExecutor

        threads = ThreadPoolExecutor(self._stage.workers, "flatwater-pmap")
        try:
            for batch in batches:
                first, count = 0, len(batch)
                while first < count:
                    items = batch[first : first + min(self._at_once, self._weigher.at_once)]
                    first += len(items)
                    if first >= count:
                        del batch
                    asked = self._weigher.weigh(items)
                    while self._parts and not self._fits(asked):
                        yield from self._taken()
                    self._begin(threads, items, asked)
                    del items
                    while self._parts and self._next().future.done():
                        yield from self._taken()
            while self._parts:
                yield from self._taken()
        finally:
            threads.shutdown(wait=True, cancel_futures=True)

    def _expected(self, asked: int) -> int:
        """Bytes of items, and of their results beside them."""
        return int(asked * (1.0 + self._ratio))

    def _fits(self, asked: int) -> bool:
        self._weigh_waiting()
        if len(self._parts) >= limits.FLOW_PARTS_MAX:
            return False
        return sum(part.size for part in self._parts) + self._expected(asked) <= self._stage.window_bytes

    def _begin(self, threads: ThreadPoolExecutor, items: Batch, asked: int) -> None:
        part = _Part(
            asked, self._expected(asked), Gauge(self._gauge.name, self._gauge.at, items_in=self._gauge.items_in)
        )
        self._gauge.items_in += len(items)
        self._parts.append(part)
        part.future = threads.submit(self._context.copy().run, self._done, part, [items])

    def _done(self, part: _Part, box: list[Batch]) -> Batch:
        """In a worker."""
        begun = perf_counter()
        results = called(self._stage.function, box.pop(), part.gauge, self._policy)[0]
        part.took_s = perf_counter() - begun
        return results

    def _next(self) -> _Part:
        """The part whose results come next."""
        if self._stage.ordered:
            return self._parts[0]
        return next((part for part in self._parts if part.future.done()), self._parts[0])

    def _taken(self) -> Iterator[Batch]:
        """The results of one part, once they are there."""
        if not self._stage.ordered:
            from concurrent.futures import FIRST_COMPLETED, wait

            wait([part.future for part in self._parts], return_when=FIRST_COMPLETED)
        part = self._next()
        box = [part.future.result()]
        self._weigh_waiting()
        self._parts.remove(part)
        items = len(box[0]) + part.gauge.skipped
        if part.took_s < _PART_S and items >= self._at_once:
            self._at_once = min(_PART_ITEMS_MAX, 2 * self._at_once)
        elif part.took_s > 2 * _PART_S:
            self._at_once = max(1, self._at_once // 2)
        self._gauge.skipped += part.gauge.skipped
        self._gauge.bytes_out += part.size
        del part
        if box[0]:
            yield box.pop()

    def _weigh_waiting(self) -> None:
        """Parts that are done take what their results weigh, and their items nothing any more."""
        for part in self._parts:
            if not part.is_weighed and part.future.done() and part.future.exception() is None:
                part.size = self._results.weigh(part.future.result())
                part.is_weighed = True
                self._ratio += (part.size / max(1, part.asked) - self._ratio) / 4
