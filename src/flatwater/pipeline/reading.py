"""One pass over a source: its batches or items, and where it is behind each of them.

Covers:     segments, going on from a position, looking ahead, large items one by one.
Not here:   what a source is, and how each kind is read (`pipeline.sources`).
Holds:      one batch, when a segment ended in the middle of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import TYPE_CHECKING, Any, final

from flatwater import errors
from flatwater.pipeline.place import Batch
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.weighing import Weigher

if TYPE_CHECKING:
    from flatwater.pipeline.sources import Source

Found = tuple[Batch, Any, Any]  # a batch, tokens of the places in front of it and behind it; None where it cannot tell
_NOTHING = object()
_LOOKED = 16  # items that go one by one from one look at the clock to the next


@final
@dataclass(frozen=True, slots=True)
class Position:
    """Where a pass over a source is.

    Attributes:
        count: items that were given since the beginning.
        token: what the source says of a place, or None for its beginning.
        skip: items behind that place.
    """

    count: int = 0
    token: Any = None
    skip: int = 0


@final
class Items(Iterator[Found]):
    """Batches of what can only be iterated over. They are not held meanwhile, and what gives them is closed at the end."""

    def __init__(self, origin: Iterable[Any], weigher: Weigher) -> None:
        self.turns = iter(origin)
        self._batches = weigher.batches(self.turns)

    def __next__(self) -> Found:
        return next(self._batches), None, None

    def close(self) -> None:
        """Close a generator, now and not some day."""
        for each in (self._batches, self.turns):
            if isinstance(each, Generator):
                each.close()


@final
class Reading:
    """One pass over a source: its batches, and where it is behind each of them. For one thread; `stop` from any.

    Attributes:
        is_exhausted: there is nothing more.
        stages_done: how many stages of the flow its batches have gone through; others than 0 are of `pipeline.on_dask`.
    """

    stages_done = 0

    def __init__(
        self, source: Source, origin: Any, found: Iterator[Found], gauge: Gauge, weigher: Weigher, start: Position
    ) -> None:
        self.is_exhausted = False
        self._count, self._token = start.count, start.token
        self._source = source
        self._origin = origin
        self._found = found
        self._gauge = gauge
        self._weigher = weigher
        self._to_skip = start.skip
        self._past = 0  # items behind the token that were given or skipped
        self._start: Position | None = start  # until the first batch is given
        self._rest: tuple[Batch, Any] = ([], None)  # of a batch that a segment ended in
        self._turns = found.turns if isinstance(found, Items) else None
        self._read_s = 0.0  # that reading took, where items went one by one

    @property
    def position(self) -> Position:
        """Behind the batch that was given last."""
        return self._start or Position(self._count, self._token, self._past)

    @property
    def has_large_items(self) -> bool:
        """Whether the next items are so large that they are better done one by one."""
        self.has_ended()
        return self._weigher.is_heavy

    @property
    def origin(self) -> Any:
        """What is read."""
        return self._origin

    @property
    def to_skip(self) -> int:
        """Items that are to be passed over and have not come yet."""
        return self._to_skip

    def segment(
        self, *, seconds: float = 0.0, items: int = 0, is_due: Callable[[], bool] | None = None
    ) -> Iterator[Batch]:
        """Its batches until so many seconds have gone, or `items` were given, or it is due; else all that are left.

        One comes in any case, so that a job goes on however short its segments are. An empty one says that there is nothing
        now, and may be later.
        """
        until = perf_counter() + seconds if seconds else float("inf")
        left = items or sys.maxsize
        while True:
            box = [found] if (found := self._next(left)) is not None else []
            del found
            if not box:
                self.is_exhausted = True
                return
            left -= len(box[0])
            yield box.pop()
            if not left or perf_counter() >= until or (is_due is not None and not items and is_due()):
                return

    def singly(
        self, look: Callable[[], None], *, seconds: float, items: int, is_due: Callable[[], bool] | None
    ) -> Generator[Any, None, None] | None:
        """The items of a segment, one by one; None if only batches are known. `look` is called now and then."""
        return None if self._turns is None else self._singly(self._turns, look, seconds, items, is_due)

    def _singly(
        self,
        turns: Iterator[Any],
        look: Callable[[], None],
        seconds: float,
        items: int,
        is_due: Callable[[], bool] | None,
    ) -> Generator[Any, None, None]:
        until = perf_counter() + seconds if seconds else float("inf")
        last = self._count + items if items else sys.maxsize
        rest, self._rest = self._rest[0], ([], None)
        rest.reverse()
        while True:
            begun = perf_counter()
            box = [rest.pop() if rest else next(turns, _NOTHING)]
            read_s = perf_counter() - begun
            if box[0] is _NOTHING:
                self.is_exhausted = True
                return
            weight, before = self._weigher.weigh(box), self._count
            self._start = None
            self._count += 1
            self._past += 1
            try:
                yield box.pop()
                for item in islice(turns, 0 if rest else min(_LOOKED - 1, last - self._count)):
                    self._count += 1
                    self._past += 1
                    yield item
                item = None
            finally:
                given = self._count - before  # about as heavy, and as long in coming, as the first of them
                self._read_s += read_s * given
                self._gauge.bytes_out += weight * given
            if self._count >= last or perf_counter() >= until or (is_due is not None and not items and is_due()):
                self._rest = rest[::-1], None
                return
            look()

    def taken_s(self) -> float:
        """Seconds that reading took since this was asked last, where items went one by one."""
        taken_s, self._read_s = self._read_s, 0.0
        return taken_s

    def has_ended(self) -> bool:
        """Whether there is nothing more; what there is, comes with the next segment."""
        if self._rest[0]:
            return False
        before, counted = self.position, self._gauge.bytes_out
        batch = self._next(sys.maxsize)
        self._gauge.bytes_out = counted
        if not batch:
            return batch is None
        self._count -= len(batch)
        if self._past:  # the place is the same, told by what is nearest to it: older ones may be gone some day
            self._rest, self._past = (batch, None), self._past - len(batch)
        else:
            self._rest = batch, self._token
            self._start, self._token, self._past = before, before.token, before.skip
        return False

    def stop(self) -> None:
        """Let a source that waits for more wait no longer; from any thread."""
        from flatwater.pipeline.sources import is_file

        if is_file(self._origin):
            self._origin.stop()

    def close(self) -> None:
        """Close what it reads from, as far as this pass has opened it."""
        if isinstance(self._found, (Generator, Items)):
            self._found.close()

    def _refuse_short(self) -> None:
        if self._to_skip:
            raise errors.UsageError(
                f"{self._source.name} has come to its end {self._to_skip:,} items before the checkpoint's place.",
                hint="It has fewer items than it had, or others: put it back, or remove the checkpoint to begin anew.",
            )

    def _next(self, most: int) -> Batch | None:
        """The next batch, of at most so many items; empty if there is nothing now; None at the end."""
        token, past = self._token, self._past
        (batch, behind), self._rest = self._rest, ([], None)
        while not batch:
            found = next(self._found, None)
            if found is None:
                self._refuse_short()
                return None
            batch, before, behind = found
            del found
            if not batch:  # it waits: all that came is through, so its token says where it is
                if behind is not None and not self._to_skip:
                    self._start, self._token, self._past = None, behind, 0
                return batch
            if before is not None:
                token, past = before, 0
            if self._to_skip:
                skipped = min(self._to_skip, len(batch))
                self._to_skip -= skipped
                batch, past = batch[skipped:], past + skipped
                if not batch and behind is not None:
                    token, past = behind, 0
        if len(batch) > most:
            self._rest = batch[most:], behind
            batch, behind = batch[:most], None
        self._token, self._past = (token, past + len(batch)) if behind is None else (behind, 0)
        self._count += len(batch)
        self._start = None
        self._gauge.bytes_out += self._weigher.weight_of(batch)
        return batch
