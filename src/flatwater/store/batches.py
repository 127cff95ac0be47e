"""What `batches` gives back: lists of entries, for and async for, each read in a short transaction of its own.

Covers:     pages of a walk, the budget's bytes and its gate, the key to go on with, ending early.
Not here:   reading one page (`store.engines`), writing while it goes on (`store.partition`, `store.updating`).
Holds:      one batch while the next one is being made; see `Batches.bytes_max`.
"""

from __future__ import annotations

import random
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, Self, final

import msgspec

from flatwater import errors, limits, units
from flatwater.budget.budget import Budget
from flatwater.budget.reservation import Reservation
from flatwater.sizing.sizer import Sizer
from flatwater.store import keys
from flatwater.store.engines import base
from flatwater.store.keys import Key, Pair
from flatwater.store.values import Values

if TYPE_CHECKING:
    import asyncio

    from flatwater.store.space import Space

_SAMPLE = 32  # typed values that are decoded before it is looked at what they weigh
_WEIGHED, _WEIGHED_BYTES = 4, 64 * units.KIB  # of these, or so many bytes of them
_PASSED_OVER = 10  # times as many bytes are then taken for as heavy as those
_FEW_ELEMENTS, _ELEMENT_BYTES = 3, 64  # of a key; of each element more: a place in the tuple, and a small object
Bounds = Callable[[], tuple[bytes, bytes] | None]


@final
class Walk:
    """Pages of a range, one after another. The next one begins behind the last key of the one before, whatever became of it."""

    def __init__(
        self, space: Space, bounds: Bounds, values: Values, *, batch_bytes: int, rows: int, reverse: bool
    ) -> None:
        self._space = space
        self._bounds = bounds
        self._values = values
        self._batch_bytes = batch_bytes
        self._rows = rows
        self._reverse = reverse
        self._range: tuple[bytes, bytes] | None = None
        self._is_done = False
        self._heap_ratio = 1.0 if values.is_raw else 0.0  # heap bytes of typed values, for each byte stored; 0: unknown
        self._sizer = None if values.is_raw else Sizer()
        self._passed_over = 0  # bytes of stored values that are not weighed next
        self._chance: random.Random | None = None  # by which values are weighed
        self.entries: list[base.Raw] = []
        self.mark = base.UNKNOWN
        self.last: bytes | None = None  # the last raw key that was read

    def next_page(self) -> list[Pair]:
        """The next entries, decoded; empty at the end. `entries` has them raw, and `mark` says of which version."""
        self.entries = []
        if self._is_done:
            return []
        if self._range is None:
            self._range = self._bounds()
            if self._range is None:
                self._is_done = True
                return []
        low, high = self._range
        rows, size = self._rows, self._batch_bytes
        if self._heap_ratio == 0.0:
            rows, size = min(rows, _SAMPLE), max(1, size // limits.STORE_HEAP_RATIO)
        elif self._heap_ratio > 1.0:
            size = max(1, int(size / self._heap_ratio))
        page = self._space.engine.page(low, high, rows=rows, bytes_max=size, reverse=self._reverse)
        self._shorten(page)
        pairs = self._decoded(page.entries) if self._sizer is None else self._fitting(page, self._sizer)
        self._is_done = page.is_last
        self.mark = page.mark
        if not pairs:
            self._is_done = True
            return []
        self.last = page.entries[-1][0]
        self._range = (low, self.last) if self._reverse else (self.last + b"\x00", high)
        self.entries = page.entries
        return pairs

    def _shorten(self, page: base.Page) -> None:
        """Leave out what would be too much as tuples: `base.ENTRY_BYTES` is for keys of a few elements."""
        entries = page.entries
        if len(entries) < 2:  # noqa: PLR2004 - one comes in any case
            return
        ends = (entries[0][0], entries[-1][0])
        more = max(len(keys.decode(key, base.HEAD_BYTES)) for key in ends) - _FEW_ELEMENTS
        if more > 0:
            mean = sum(len(key) + len(value) for key, value in entries) // len(entries)
            fitting = max(1, self._batch_bytes // (mean + base.ENTRY_BYTES + more * _ELEMENT_BYTES))
            if fitting < len(entries):
                del entries[fitting:]
                page.is_last = False

    def _fitting(self, page: base.Page, sizer: Sizer) -> list[Pair]:
        """Decode some at a time, and end the page where they weigh as much as a batch may."""
        pairs: list[Pair] = []
        held = 0
        for first in range(0, len(page.entries), _SAMPLE):
            entries = page.entries[first : first + _SAMPLE]
            part = self._decoded(entries)
            pairs += part
            held += self._weigh(entries, part, sizer)
            if held >= self._batch_bytes and len(pairs) < len(page.entries):
                del page.entries[len(pairs) :]
                page.is_last = False
                break
        return pairs

    def _decoded(self, entries: list[base.Raw]) -> list[Pair]:
        at = base.HEAD_BYTES
        try:
            return keys.decode_pairs(entries, at, self._values.decoder)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            for raw, stored in entries:  # which one it is
                self._values.decode(stored, keys.decode(raw, at))
            raise

    def _weigh(self, entries: list[base.Raw], pairs: list[Pair], sizer: Sizer) -> int:
        """How many heap bytes typed values take, learnt from some of them: for each byte stored, about as many in all."""
        total = sum(len(value) for _key, value in entries) + base.ENTRY_BYTES * len(entries)
        if total <= self._passed_over:
            self._passed_over -= total
            return int(self._heap_ratio * total)
        if self._chance is None:
            self._chance = random.Random(len(pairs))  # noqa: S311 - which ones are weighed is no secret
        sample: list[Any] = []
        stored = 0
        for at in self._chance.sample(range(len(pairs)), min(_WEIGHED, len(pairs))):  # every eighth may be of one kind
            sample.append(pairs[at][1])
            stored += len(entries[at][1]) + base.ENTRY_BYTES
            if stored >= _WEIGHED_BYTES:  # to look at every object in it takes ten times as long as decoding it
                self._passed_over = _PASSED_OVER * stored
                break
        ratio = max(1.0, (sizer.batch(sample) + base.ENTRY_BYTES * len(sample)) / stored)
        self._heap_ratio = max(ratio, self._heap_ratio * 0.9)
        return int(self._heap_ratio * total)


@final
class Batches:
    """A walk, once: an iterator, an async iterator and a context manager over lists of (key, value).

    Its bytes are taken from the budget around the call that made it, when it starts, and given back when it ends, is
    closed or dropped. One thread or task at a time.
    """

    def __init__(
        self, space: Space, bounds: Bounds, values: Values, *, name: str, batch_bytes: int, rows: int, reverse: bool
    ) -> None:
        self.name = name
        self.walk = Walk(space, bounds, values, batch_bytes=batch_bytes, rows=rows, reverse=reverse)
        self._batch_bytes = batch_bytes
        self._reverse = reverse
        self.budget = Budget.current()
        self._reservation: Reservation | None = None
        self._is_closed = False
        self._is_broken = False
        self._reading: asyncio.Future[None] | None = None  # of a task that was cancelled: its batch comes next
        self._ahead: list[Pair] | None = None  # what that one read
        self._turn = threading.Lock()  # a thread reads on when its task, or its loop, has gone
        self._is_awaited = False
        self._delivered: bytes | None = None  # the last raw key that was handed out

    def __reduce__(self) -> NoReturn:
        raise errors.UsageError(
            f"{self.name}: a walk cannot be pickled.", hint="Send its resume_key, and start another one there."
        )

    def bytes_max(self) -> int:
        """The most this walk holds at once, in bytes, beside the largest entry; taken from the budget."""
        total = 0
        total += self._batch_bytes  # the batch that is being used
        total += self._batch_bytes  # the batch that is being made
        return total

    @property
    def resume_key(self) -> Key | None:
        """The key that another walk goes on with, behind the last entry that came; None before the first one.

        `batches(start=resume_key)` goes on, in reverse `batches(stop=resume_key, reverse=True)`. It is right even if the
        entry it comes from is deleted meanwhile. A tuple as any other key: it can be kept where keys can.
        """
        last = self._delivered
        if last is None:
            return None
        key = keys.decode(last, base.HEAD_BYTES)
        return key if self._reverse else (*key, None)  # the least key behind it

    def close(self) -> None:
        """End the walk: its bytes go back to the budget. More than once does no harm."""
        self._is_closed = True
        self._ahead = None
        reservation, self._reservation = self._reservation, None
        if reservation is not None:
            reservation.release()

    def _reserved(self) -> Reservation:
        try:
            return self.budget.reserve(self.bytes_max(), self.name)
        except errors.BudgetExceeded as error:
            error.hint += " Or pass a smaller bytes=: a walk holds two batches."
            raise

    def next_batch(self, *, keep: bool = False) -> list[Pair]:
        """The next batch; empty at the end, when all is given back. `keep` leaves the walk its raw entries.

        Raises:
            LimitReached: the budget's gate stayed closed for limits.GATE_WAIT_S.
        """
        if self._is_broken:
            raise errors.ClosedError(f"{self.name}: this walk broke.", hint="Start another one with resume_key.")
        if self._is_closed:
            return []
        if self._reservation is None:
            self._reservation = self._reserved()
        gate = self.budget.gate
        if not gate.is_open and not gate.wait(limits.GATE_WAIT_S):
            raise errors.LimitReached(
                f"{self.name} waited {limits.GATE_WAIT_S:.0f} s at the budget's closed gate ({gate.reason}).",
                what="GATE_WAIT_S", limit=limits.GATE_WAIT_S, hint="Resume the gate, and go on with resume_key.",
            )  # fmt: skip
        try:
            batch = self.walk.next_page()
        except BaseException:
            self.close()
            self._is_broken = True
            raise
        if not keep:
            self.walk.entries = []
        if not batch:
            self.close()
        return batch

    def __iter__(self) -> Iterator[list[Pair]]:
        return self

    def __next__(self) -> list[Pair]:
        if self._reading is not None:
            if not self._reading.done():
                raise errors.UsageError(
                    f"{self.name}: a task reads from this walk.", hint="One task or thread at a time."
                )
            self._reading = None
            self._read_ahead()
        batch = self._taken() if self._ahead is not None else self.next_batch()
        if not batch:
            raise StopIteration
        self._delivered = self.walk.last
        return batch

    def _read_ahead(self) -> None:
        with self._turn:
            if self._ahead is None:
                self._ahead = self.next_batch()

    def _taken(self) -> list[Pair]:
        batch, self._ahead = self._ahead, None
        return batch or []

    def __aiter__(self) -> AsyncIterator[list[Pair]]:
        return self

    async def __anext__(self) -> list[Pair]:
        import asyncio

        gate = self.budget.gate
        if not gate.is_open:
            await gate.wait_async()
        if self._is_awaited:
            raise errors.UsageError(
                f"{self.name}: another task reads from this walk.", hint="Make a walk for each task."
            )
        self._is_awaited = True
        try:
            if self._reading is None or self._reading.cancelled():  # cancelled: its loop has ended
                self._reading = asyncio.ensure_future(asyncio.to_thread(self._read_ahead))
            await asyncio.shield(self._reading)  # a thread cannot be cancelled: what it reads comes next time
            self._reading = None
            batch = self._taken()
        except asyncio.CancelledError:
            raise
        except BaseException:
            self._reading = None
            raise
        finally:
            self._is_awaited = False
        if not batch:
            raise StopAsyncIteration
        self._delivered = self.walk.last
        return batch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_reservation", None) is not None:
            self.close()
