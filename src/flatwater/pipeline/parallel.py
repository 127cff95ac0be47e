"""Call a function for several items at a time, with a bound on the bytes of what is under way and of what waits.

Covers:     parts of batches, results in order or as they come, ending early; threads.
Not here:   what a single call does (`pipeline.stages`), processes (`pipeline.processes`).
Holds:      inputs under way, and results that wait behind a slow one; see `Parallel.bytes_max`.

A result that waits takes room as an input does: both are counted, so that a slow item at the head stops the intake and not
the program. What a part will weigh when it is done is told by those before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextvars import copy_context
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, final

from flatwater import limits
from flatwater.pipeline.pieces import Piece
from flatwater.pipeline.place import Batch, Place
from flatwater.pipeline.policy import Policy
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.stages import Function, called, name_of

if TYPE_CHECKING:
    from concurrent.futures import Future

_PART_ITEMS_MAX = 64
_PARTS_EACH = 4  # that run or wait, for each worker


@dataclass(frozen=True, slots=True)
class Parallel:
    """The function's result in place of each item, from several threads."""

    function: Function
    workers: int
    window_bytes: int
    ordered: bool
    holds_results: ClassVar[bool] = True

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
        crew = _Threads(self, place.policy)
        try:
            yield from UnderWay(place, crew, self.workers, self.window_bytes, ordered=self.ordered).run(batches)
        finally:
            crew.end()


@final
class Part:
    """Some items under way, or their results.

    Attributes:
        weight: bytes of its items, wherever they are: what its results are foreseen by.
        size: bytes that it takes now.
        is_done: its results were seen, and `size` is theirs.
        gauge: counts its items, from their number in the run on.
        took_s: seconds of its calls.
        future: its results.
    """

    __slots__ = ("future", "gauge", "is_done", "size", "took_s", "weight")

    def __init__(self, weight: int, size: int, gauge: Gauge) -> None:
        self.weight = weight
        self.size = size
        self.is_done = False
        self.gauge = gauge
        self.took_s = 0.0
        self.future: Future[Batch]


class Crew(Protocol):
    """Who does parts."""

    @property
    def part_s(self) -> float:
        """Seconds that a part should take at least, so that handing it over and back costs little beside it."""
        ...

    def begin(self, part: Part, box: list[Batch]) -> Future[Batch]:
        """Do the items in the box, which is emptied."""
        ...


@final
class _Threads:
    """Do parts in this process."""

    part_s: ClassVar[float] = 0.002  # handing one to a thread and back costs about 50 us

    def __init__(self, stage: Parallel, policy: Policy) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._function = stage.function
        self._policy = policy
        self._is_ending = False
        self._context = copy_context()
        self._pool = ThreadPoolExecutor(stage.workers, "flatwater-pmap")

    def begin(self, part: Part, box: list[Batch]) -> Future[Batch]:
        """Do the items in the box."""
        return self._pool.submit(self._context.copy().run, self._done, part, box)

    def end(self) -> None:
        """Wait for the calls that run, and begin no other."""
        self._is_ending = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _done(self, part: Part, box: list[Batch]) -> Batch:
        """In a thread."""
        begun = perf_counter()
        try:
            results = called(self._called, box.pop(), part.gauge, self._policy)[0]
            part.took_s = perf_counter() - begun
            return results
        finally:
            del part  # whose future has the error that ends this, and would hold this frame

    def _called(self, item: Any) -> Any:
        if self._is_ending:
            raise _EndedError
        return self._function(item)


class _EndedError(BaseException):
    """The rest of a part is not wanted. No `Exception`, which a policy might pass over."""


@final
class UnderWay:
    """The parts of one run, or of one segment of it: how many there may be, and how large each is.

    Args:
        place: of the stage.
        crew: does them.
        workers: how many it does at a time.
        window_bytes: of items under way and of results that wait.
        ordered: results in the order of their items.
    """

    def __init__(self, place: Place, crew: Crew, workers: int, window_bytes: int, *, ordered: bool) -> None:
        self._crew = crew
        self._workers = workers
        self._window_bytes = window_bytes
        self._ordered = ordered
        self._weigher = place.weigher()  # of items
        self._results = place.weigher()
        self._gauge = place.gauge
        self._ending = place.ending
        self._running: dict[Future[Batch], Part] = {}  # not done, as far as was seen
        self._finished: SimpleQueue[Future[Batch]] = SimpleQueue()  # done, and not seen yet
        self._parts: deque[Part] = deque()  # in the order of their items; without one, those that are done
        self._size = 0  # of all parts
        self._next_items: Batch = []  # of the part that is begun next
        self._next_held = self._next_weight = 0  # bytes of them: here, and wherever they are
        self._at_once = 1  # items of a part
        self._each = 1.0  # bytes of an item
        self._ratio = 1.0  # bytes of results, for each byte of items
        self._is_learned = False  # that ratio was seen

    def run(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Results, as batches."""
        for batch in batches:
            first, count = 0, len(batch)
            if not batch:  # the source waits
                yield from self._flushed()
                yield batch
            while first < count:
                items = batch[first : first + max(1, self._fitting() - len(self._next_items))]
                first += len(items)
                if first >= count:
                    del batch
                self._add(items)
                del items
                if not self._may_grow():
                    yield from self._begun()
        yield from self._flushed()
        while self._count():
            yield from self._taken()

    def _flushed(self) -> Iterator[Batch]:
        """Begin what is there, and give the results that are there."""
        if self._next_items:
            yield from self._begun()
        yield from self._there()

    def _add(self, items: Batch) -> None:
        """To the next part."""
        held = self._weigher.weigh(items)
        weight = held + sum(item.length for item in items if type(item) is Piece)
        self._each = max(self._each + (weight / len(items) - self._each) / 4, weight / len(items))
        self._next_held += held
        self._next_weight += weight
        self._next_items += items

    def _may_grow(self) -> bool:
        """Whether the next part may wait for more items: there is work for everybody, and it is small."""
        self._look()
        return self._is_crowded() and len(self._next_items) < self._fitting() and self._has_room()

    def _begun(self) -> Iterator[Batch]:
        """Begin the next part, once there is room, and give the results that are there."""
        while self._count() and not self._fits():
            if self._next() is None:
                begun = perf_counter()
                self._wait()
                self._gauge.waits += 1
                self._gauge.waited_s += perf_counter() - begun
            else:
                yield from self._taken()
        self._begin()
        yield from self._there()

    def _there(self) -> Iterator[Batch]:
        """The results that are there."""
        self._look()
        while self._next() is not None:
            yield from self._taken()

    def _count(self) -> int:
        """Parts under way, and those that wait to be taken."""
        return len(self._parts) if self._ordered else len(self._running) + len(self._parts)

    def _fitting(self) -> int:
        """Items of the next part: no more than a batch, and with their results a fair share of the window."""
        share = self._window_bytes / (self._workers * (1.0 + self._ratio))
        return max(1, min(self._at_once, int(min(share, self._weigher.bytes_max) / self._each)))

    def _expected(self) -> int:
        """Bytes of the next part's items, and of their results beside them."""
        return self._next_held + int(self._next_weight * self._ratio)

    def _fits(self) -> bool:
        self._look()
        return self._count() < limits.FLOW_PARTS_MAX and not self._is_crowded() and self._has_room()

    def _has_room(self) -> bool:
        return self._size + self._expected() <= self._window_bytes

    def _is_crowded(self) -> bool:
        """More parts than are worth having before it is seen how long they take, and what results weigh."""
        return len(self._running) >= self._workers * (_PARTS_EACH if self._is_learned else 1)

    def _begin(self) -> None:
        gauge = Gauge(self._gauge.name, self._gauge.at, items_in=self._gauge.items_in)
        part = Part(self._next_weight, self._expected(), gauge)
        box = [self._next_items]
        self._next_items, self._next_held, self._next_weight = [], 0, 0
        self._gauge.items_in += len(box[0])
        self._size += part.size
        if self._ordered:
            self._parts.append(part)
        part.future = self._crew.begin(part, box)
        self._running[part.future] = part
        # Not a function with the part in it: its results would be kept in a circle.
        part.future.add_done_callback(self._finished.put)

    def _next(self) -> Part | None:
        """The part whose results come next, if they are there."""
        return self._parts[0] if self._parts and self._parts[0].is_done else None

    def _wait(self) -> None:
        """Until one more part is done."""
        while True:
            try:
                finished = self._finished.get(timeout=limits.FLOW_LOOK_S)
            except Empty:
                self._ending.refuse()
            else:
                self._see(finished)
                return

    def _taken(self) -> Iterator[Batch]:
        """The results of one part, once they are there."""
        while (part := self._next()) is None:
            self._wait()
        self._parts.popleft()
        try:
            box = [part.future.result()]
        except BaseException:
            del part  # the same
            raise
        self._size -= part.size
        items = len(box[0]) + part.gauge.skipped
        if part.took_s < self._crew.part_s and items >= self._at_once:
            self._at_once = min(_PART_ITEMS_MAX, 2 * self._at_once)
        elif part.took_s > 2 * self._crew.part_s:
            self._at_once = max(1, self._at_once // 2)
        self._gauge.skipped += part.gauge.skipped
        self._gauge.bytes_out += part.size
        del part
        if box[0]:
            yield box.pop()

    def _look(self) -> None:
        """See what is done."""
        while not self._finished.empty():
            self._see(self._finished.get())

    def _see(self, future: Future[Batch]) -> None:
        """A part that is done takes what its results weigh, and its items nothing any more."""
        part = self._running.pop(future)
        part.is_done = True
        if not self._ordered:
            self._parts.append(part)
        if future.exception() is None:
            self._size -= part.size
            part.size = self._results.weigh_each(future.result())
            self._size += part.size
            self._learn(part.size / max(1, part.weight))

    def _learn(self, ratio: float) -> None:
        """What results weigh, at once where it is more."""
        if ratio > self._ratio or not self._is_learned:
            self._ratio = ratio
        else:
            self._ratio += (ratio - self._ratio) / 4
        self._is_learned = True
