"""What `find_each`, `batches` and `pluck` give back: iterators, for and async for, that know where they are.

Covers:     rows one by one, batches, the token to go on with, the budget's bytes and its gate, ending early.
Not here:   reading (`tables.reading`), which rows (`tables.table`).
Holds:      one batch, while its rows are handed out; the one before it is dropped first where rows go one by one.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Generic, Self, TypeVar, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.budget.reservation import Reservation
from flatwater.source.tables.reading import Key, Reading

Item = TypeVar("Item")
Starter = Callable[[], tuple[Reading, Key | None, Callable[[], object] | None]]


class Pass(Generic[Item]):
    """One pass over a table, once: an iterator and an async iterator, and a context manager.

    Its bytes are taken from the budget around the call that made it, when it starts, and given back when it ends, is
    closed or dropped. One thread or task at a time.
    """

    def __init__(
        self,
        name: str,
        start: Starter,
        *,
        bytes_max: int,
        sign: Callable[[Key, Key | None], str],
        run_async: Callable[[Callable[[], Any]], Awaitable[Any]] | None,
        wrap: Callable[[list[Any]], Any] | None = None,
        after: str | None = None,
    ) -> None:
        self.name = name
        self._after = after
        self._start = start
        self._bytes_max = bytes_max
        self._sign = sign
        self._run_async = run_async
        self._wrap = wrap
        self._budget = Budget.current()
        self._reservation: Reservation | None = None
        self._reading: Reading | None = None
        self._bound: Key | None = None
        self._finish: Callable[[], object] | None = None
        self._before: Key | None = None  # the position in front of the batch at hand
        self._batch: list[Any] = []
        self._is_waiting = False  # the batch at hand was given to nobody yet: a task was cancelled, a page failed
        self._is_closed = False
        self._is_started = False

    def bytes_max(self) -> int:
        """The most this pass holds at once, in bytes, beside the largest row; taken from the budget."""
        return self._bytes_max

    @property
    def token(self) -> str:
        """Where the pass is, behind the last row that it gave; `after=token` goes on from there.

        Opaque, signed, and good for the same query only. Key columns that the program changed in a row at hand would
        be taken for the place: read the token first.
        """
        if self._reading is None and self._after is not None:
            return self._after
        position = self._before if self._is_waiting else self._position()
        return self._sign(position or (), self._bound)

    def _position(self) -> Key | None:
        raise NotImplementedError

    def close(self) -> None:
        """End the pass: its bytes go back to the budget, a snapshot ends. More than once does no harm."""
        self._is_closed = True
        finish, self._finish = self._finish, None
        reservation, self._reservation = self._reservation, None
        try:
            if finish is not None:
                finish()
        finally:
            if reservation is not None:
                reservation.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._in_async(self.close)

    def _next(self) -> list[Any]:
        """The next batch; empty at the end, when all is given back."""
        if self._is_closed:
            self._refuse_broken()
            return []
        reading = self._reading
        if reading is None:
            reading = self._open()
        gate = self._budget.gate
        if not gate.is_open and not gate.wait():
            raise errors.LimitReached(
                f"{self.name} waited {limits.GATE_WAIT_S:.0f} s at the budget's closed gate ({gate.reason}).",
                what="GATE_WAIT_S", limit=limits.GATE_WAIT_S, hint="Resume the gate, and go on with after=token.",
            )  # fmt: skip
        if self._is_waiting and self._batch:
            return self._batch
        self._before = reading.position
        self._batch = []  # its rows may go while the next ones are read
        self._is_waiting = True
        try:
            self._batch = reading.next_batch()
        except BaseException:
            self.close()
            raise
        self._is_waiting = bool(self._batch)
        if not self._batch:
            self.close()
        return self._batch

    def _refuse_broken(self) -> None:
        """What broke in the middle does not look as if it had come to its end."""
        if self._is_waiting:
            raise errors.ClosedError(f"{self.name}: this pass broke.", hint="Start another with after=token.")

    def _open(self) -> Reading:
        if self._is_started:
            raise errors.ClosedError(f"{self.name}: this pass was closed.", hint="Start another; after=token goes on.")
        self._is_started = True
        self._reservation = self._budget.reserve(self._bytes_max, self.name)
        try:
            self._reading, self._bound, self._finish = self._start()
        except BaseException:
            self.close()
            raise
        return self._reading

    async def _next_async(self) -> list[Any]:
        if self._is_closed:
            self._refuse_broken()
            return []
        gate = self._budget.gate
        if not gate.is_open:
            await gate.wait_async()
        return await self._in_async(self._next)  # type: ignore[no-any-return]

    async def _in_async(self, call: Callable[[], Any]) -> Any:
        if self._run_async is None:
            return call()
        return await self._run_async(call)

    def __del__(self) -> None:
        if getattr(self, "_reservation", None) is not None or getattr(self, "_finish", None) is not None:
            self.close()


@final
class Rows(Pass[Item]):
    """Rows, one by one."""

    _left: Iterator[Any] = iter(())

    def _position(self) -> Key | None:
        reading = self._reading
        if reading is None:
            return None
        left = self._left.__length_hint__()  # type: ignore[attr-defined]  # a list's iterator knows how many are left
        if not self._batch or left == 0:
            return reading.position
        given = len(self._batch) - left
        if given == 0:
            return self._before
        made_key = reading.form.made_key
        if made_key is None:
            raise errors.UsageError(
                f"{self.name}: in the middle of a batch, the place is not known, because these rows do not carry "
                f"{', '.join(reading.order.names)} as the database has it.",
                hint="Include these columns, or take batches(): between batches the place is always known.",
            )
        return made_key(self._batch[given - 1])

    def _hand_out(self, batch: list[Any]) -> None:
        self._left = iter(batch)
        self._is_waiting = False

    def __iter__(self) -> Iterator[Item]:
        return itertools.chain.from_iterable(self._lists())  # in C: a generator would cost each row a turn of its own

    def _lists(self) -> Iterator[Iterator[Item]]:
        yield self._left
        while batch := self._next():
            self._hand_out(batch)
            del batch
            yield self._left

    def __next__(self) -> Item:
        for row in self._left:
            return row  # type: ignore[no-any-return]
        batch = self._next()
        if not batch:
            raise StopIteration
        self._hand_out(batch)
        return next(self._left)  # type: ignore[no-any-return]

    def __aiter__(self) -> AsyncIterator[Item]:
        return self

    async def __anext__(self) -> Item:
        for row in self._left:
            return row  # type: ignore[no-any-return]
        batch = await self._next_async()
        if not batch:
            raise StopAsyncIteration
        self._hand_out(batch)
        return next(self._left)  # type: ignore[no-any-return]


@final
class Batches(Pass[Item]):
    """Batches, each a list of rows or a record batch."""

    def _position(self) -> Key | None:
        return self._reading.position if self._reading is not None else None

    def __iter__(self) -> Iterator[Item]:
        return self

    def _give(self, batch: list[Any]) -> Item:
        self._batch = []  # the caller's alone now
        try:
            made = batch if self._wrap is None else self._wrap(batch)
        except BaseException:
            self.close()
            raise
        self._is_waiting = False
        return made  # type: ignore[return-value]

    def __next__(self) -> Item:
        batch = self._next()
        if not batch:
            raise StopIteration
        return self._give(batch)

    def __aiter__(self) -> AsyncIterator[Item]:
        return self

    async def __anext__(self) -> Item:
        batch = await self._next_async()
        if not batch:
            raise StopAsyncIteration
        return self._give(batch)
