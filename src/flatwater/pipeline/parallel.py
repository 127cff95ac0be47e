"""Call a function for several items at a time, with a bound on the bytes of what is under way and of what waits.

Covers:     parts of batches, results in order or as they come, ending early; threads.
Not here:   what a single call does (`pipeline.stages`), processes (`pipeline.processes`).
Holds:      inputs under way, and results that wait behind a slow one; see `Parallel.bytes_max`.

A result that waits takes room as an input does: both are counted, so that a slow item at the head stops the intake and not
the program. What a part will weigh when it is done is told by those before it.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, final

from flatwater import limits
from flatwater.pipeline.parts import Part, Share, Window, shallow_bytes
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


class Crew(Protocol):
    """Who does parts."""

    @property
    def part_s(self) -> float:
        """Seconds that a part should take at least, so that handing it over and back costs little beside it."""
        ...

    def begin(self, part: Part) -> Future[Batch]:
        """Do the items in its box, which is emptied: all of them, or as long as it may go on."""
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

    def begin(self, part: Part) -> Future[Batch]:
        """Do the items in its box."""
        return self._pool.submit(self._context.copy().run, self._done, part)

    def end(self) -> None:
        """Wait for the calls that run, and begin no other."""
        self._is_ending = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _done(self, part: Part) -> Batch:
        """In a thread."""
        begun = perf_counter()
        items = part.box.pop()
        results: Batch = []
        try:
            if part.share.may_begin:
                called(partial(self._called, part.share), items, part.gauge, self._policy, results)
            else:
                part.rest = items
        except _FullError:
            part.rest = items[part.share.count :]
        finally:
            part.took_s = perf_counter() - begun
            del part  # whose future has the error that ends this, and would hold this frame
        return results

    def _called(self, share: Share, item: Any) -> Any:
        if self._is_ending:
            raise _EndedError
        if not share.may_go_on:
            raise _FullError
        size = 0
        try:
            result = self._function(item)
            size = shallow_bytes(result)
            return result
        finally:
            share.add(size)


class _EndedError(BaseException):
    """The rest of a part is not wanted. No `Exception`, which a policy might pass over."""


class _FullError(BaseException):
    """The rest of a part has to wait. The same."""


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
        self._window = Window(window_bytes)
        self._ordered = ordered
        self._weigher = place.weigher()  # of items
        self._results = place.weigher()
        self._gauge = place.gauge
        self._ending = place.ending
        self._running: dict[Future[Batch], Part] = {}  # not done, as far as was seen
        self._finished: SimpleQueue[Future[Batch]] = SimpleQueue()  # done, and not seen yet
        self._parts: deque[Part] = deque()  # in the order of their items; without one, those that are done
        self._postponed: list[Part] = []  # what others have left
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
        if self._ordered:
            return len(self._parts)
        return len(self._running) + len(self._parts) + len(self._postponed)

    def _fitting(self) -> int:
        """Items of the next part: no more than a batch, and with their results a fair share of the window."""
        share = self._window.bytes_max / (self._workers * (1.0 + self._ratio))
        return max(1, min(self._at_once, int(min(share, self._weigher.bytes_max) / self._each)))

    def _expected(self) -> int:
        """Bytes of the next part's items, and of their results beside them."""
        return self._next_held + int(self._next_weight * self._ratio)

    def _fits(self) -> bool:
        self._look()
        if self._postponed or self._count() >= limits.FLOW_PARTS_MAX or self._is_crowded():
            return False
        return self._has_room()

    def _has_room(self) -> bool:
        return self._window.size + self._expected() <= self._window.bytes_max

    def _is_crowded(self) -> bool:
        """More parts than are worth having before it is seen how long they take, and what results weigh."""
        return len(self._running) >= self._workers * (_PARTS_EACH if self._is_learned else 1)

    def _begin(self) -> None:
        part = self._part(self._next_items, self._next_weight, self._gauge.items_in)
        self._gauge.items_in += len(self._next_items)
        self._next_items, held, self._next_held, self._next_weight = [], self._next_held, 0, 0
        if self._ordered:
            self._parts.append(part)
        self._start(part, held, self._window.bytes_max)

    def _part(self, items: Batch, weight: int, number: int) -> Part:
        return Part(self._window, Gauge(self._gauge.name, self._gauge.at, items_in=number), items, weight)

    def _start(self, part: Part, held: int, most: int) -> None:
        """Its results are foreseen to be at most so many bytes: with more it ends early, where there is no room."""
        self._window.size -= part.size
        room = max(0, self._window.bytes_max - self._window.size - held)
        part.share.foreseen = min(int(part.weight * self._ratio), most, room)
        part.size = held + part.share.foreseen
        self._window.size += part.size
        part.future = self._crew.begin(part)
        self._running[part.future] = part
        # Not a function with the part in it: its results would be kept in a circle.
        part.future.add_done_callback(self._finished.put)

    def _resume(self) -> None:
        """Begin what others have left, from the first on: when there is room, or when it is the next."""
        while self._postponed:
            part = min(self._postponed, key=_number_of)
            part.share.is_next = self._parts[0] is part if self._ordered else not self._running and not self._parts
            share = self._window.bytes_max // self._workers
            has_room = self._window.size + min(int(part.weight * self._ratio), share) <= self._window.bytes_max
            if not part.share.is_next and (not has_room or self._window.is_full or self._is_crowded()):
                return
            self._postponed.remove(part)
            self._start(part, part.size, share)

    def _next(self) -> Part | None:
        """The part whose results come next, if they are there."""
        return self._parts[0] if self._parts and self._parts[0].is_done else None

    def _wait(self) -> None:
        """Until one more part is done."""
        self._resume()
        while True:
            finished = None
            with contextlib.suppress(Empty):
                finished = self._finished.get(timeout=limits.FLOW_LOOK_S)
            if finished is not None:
                self._see(finished)
                return
            self._ending.refuse()  # behind the handler, so that what is raised here or by a Ctrl-C stands alone

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
        self._window.size -= part.size
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
        self._window.forget(part.share)
        part.is_done = True
        if part.rest:
            self._postpone(part)
        if not self._ordered:
            self._parts.append(part)
        if future.exception() is None:
            self._window.size -= part.size
            part.size = self._results.weigh_each(future.result())
            self._window.size += part.size
            if part.weight:
                self._learn(part.size / part.weight)

    def _postpone(self, part: Part) -> None:
        """What it has not done is a part behind it."""
        items, part.rest = part.rest, []
        weight = part.weight * len(items) // (part.share.count + len(items))
        rest = self._part(items, weight, _number_of(part) + part.share.count)
        part.weight -= weight
        rest.size = min(weight, part.size)  # its items; those of a file are not here, and weigh nothing of it
        self._window.size += rest.size
        self._postponed.append(rest)
        if self._ordered:
            self._parts.insert(self._parts.index(part) + 1, rest)

    def _learn(self, ratio: float) -> None:
        """What results weigh, at once where it is more."""
        if ratio > self._ratio or not self._is_learned:
            self._ratio = ratio
        else:
            self._ratio += (ratio - self._ratio) / 4
        self._is_learned = True


def _number_of(part: Part) -> int:
    """Of its first item, less one."""
    return part.gauge.items_in
