"""Live queries as their readers have them: events, polling, waiting, where to go on.

Covers:     the public `ClientSubscription`, `AsyncClientSubscription` and `ClientEvent`.
Not here:   connections (`client.hub`), what waits to be read (`client.mailbox`).
Holds:      one message, as rows.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self, final

import msgspec

from flatwater import errors
from flatwater.live.client.asking import no_sense
from flatwater.live.readers import OneReader

if TYPE_CHECKING:
    from flatwater.live.client.background import Background
    from flatwater.live.client.feed import Feed
    from flatwater.live.client.hub import Hub
    from flatwater.live.client.mailbox import Item

_rows = msgspec.json.Decoder(list[dict[str, Any]]).decode
_row = msgspec.json.Decoder(dict[str, Any]).decode


class ClientEvent(NamedTuple):
    """A row of a snapshot, or a change.

    Attributes:
        op: "snapshot", "insert", "update", "delete"; "reset": what came before no longer holds, a snapshot follows.
        seq: number of the change, or of the moment of the snapshot; 0 of a reset that the client says.
        row: the row, for a "delete" the one that went; None for a "reset".
        old: the row before an "update", or the one of a "delete"; else None.
    """

    op: str
    seq: int
    row: dict[str, Any] | None
    old: dict[str, Any] | None


class _Common(OneReader):
    """What both have: events of messages, and how far they were read."""

    def __init__(self, feed: Feed, since: int | None) -> None:
        self.columns: tuple[str, ...] = ()
        self._feed = feed
        self._seq = since
        self._events: Iterator[ClientEvent] = iter(())  # of a snapshot's message
        self._behind: int | None = None  # up to where all is read behind these
        self._is_closed = False
        self._is_read = False  # somebody polls it

    @property
    def seq(self) -> int | None:
        """What `since=` of another subscription goes on from; None until the snapshot was read in whole."""
        return self._seq

    def _next(self) -> ClientEvent | None:
        """An event that is there; None if there is none.

        Raises:
            ClosedError: it, or the client, was closed.
            FlatwaterError: it has ended.
        """
        if self._is_closed:
            raise errors.ClosedError("the subscription was closed.", hint="Subscribe again; since= goes on.")
        while True:
            event = next(self._events, None)
            if event is not None:
                return event
            if self._behind is not None:
                self._seq, self._behind = self._behind, None
            try:
                taken = self._feed.mailbox.take()
            except BaseException:
                self._end()
                raise
            if taken is None:
                return None
            if taken.item is None:
                self._seq = taken.seq
                continue
            if taken.item.op == "snapshot":
                self._seq, self._behind = None, taken.seq
                self._events = iter(self._decoded(taken.item))
                continue
            event = self._decoded(taken.item)[0]
            self._seq = None if event.op == "reset" else event.seq if self._seq is not None else None
            if taken.seq is not None:
                self._seq = taken.seq
            return event

    def _decoded(self, item: Item) -> list[ClientEvent]:
        op, seq = item.op, item.seq
        try:
            if op == "snapshot":
                return [ClientEvent(op, seq, row, None) for row in _rows(item.data)]
            if op == "reset":
                return [ClientEvent(op, seq, None, None)]
            row = _row(item.data)
            if op == "delete":
                return [ClientEvent(op, seq, row, row)]
            return [ClientEvent(op, seq, row, _row(item.old) if op == "update" else None)]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            self._end()
            raise no_sense("messages are not understood") from error

    def _end(self) -> None:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self._seq}>"


@final
class ClientSubscription(_Common):
    """Rows of a query, then their changes: an iterator and a context manager. One thread reads it at a time; any may close it.

    It ends with `close()`, with the client, or when it is dropped. Connections that break are made again meanwhile.

    Attributes:
        columns: of its rows.
    """

    def __init__(
        self, background: Background, text: str, params: Sequence[Any], last_rows: int | None, since: int | None
    ) -> None:
        self._background = background
        feed = background.hub.feed(text, params, last_rows, since)
        super().__init__(feed, since)
        try:
            self.columns = background.call(background.hub.open(feed))
        except BaseException:
            self.close()
            raise

    def poll(self, seconds: float = 0.0) -> ClientEvent | None:
        """The next event, or None if none comes in so many seconds.

        Raises:
            ClosedError: it, or the client, was closed.
            FlatwaterError: the server ended it: its table was dropped, a role taken away, the token does not hold any more.
            UsageError: another thread reads it.
        """
        until = time.monotonic() + seconds
        self._take_turn()
        try:
            while True:
                event = self._next()
                if event is not None:
                    return event
                woken = threading.Event()
                if not self._feed.mailbox.wait(woken.set) and not woken.wait(max(0.0, until - time.monotonic())):
                    self._feed.mailbox.forget()
                    return None
        finally:
            self._is_read = False

    def __iter__(self) -> Iterator[ClientEvent]:
        return self

    def __next__(self) -> ClientEvent:
        while True:
            try:
                event = self.poll(threading.TIMEOUT_MAX / 2)
            except errors.ClosedError:
                raise StopIteration from None
            if event is not None:
                return event

    def _end(self) -> None:
        self.close()

    def close(self) -> None:
        """End; more than once does no harm."""
        if not self._is_closed:
            self._is_closed = True
            self._events = iter(())
            _leave(self._feed, self._background.tell, self._background.hub)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_is_closed"):
            self.close()


@final
class AsyncClientSubscription(_Common):
    """As `ClientSubscription`, for coroutines: an async iterator and an async context manager. One task at a time.

    Attributes:
        columns: of its rows.
    """

    def __init__(self, hub: Hub, text: str, params: Sequence[Any], last_rows: int | None, since: int | None) -> None:
        self._hub = hub
        super().__init__(hub.feed(text, params, last_rows, since), since)

    async def open(self) -> Self:
        """Ask for it."""
        try:
            self.columns = await self._hub.open(self._feed)
        except BaseException:
            self._end()
            raise
        return self

    async def poll(self, seconds: float | None = None) -> ClientEvent | None:
        """As `ClientSubscription.poll`; `seconds` of None waits for as long as it takes."""
        loop = asyncio.get_running_loop()
        until = None if seconds is None else loop.time() + seconds
        self._take_turn()
        try:
            while True:
                event = self._next()
                if event is not None:
                    return event
                woken: asyncio.Future[None] = loop.create_future()
                if self._feed.mailbox.wait(partial(_wake, woken)):
                    continue
                try:
                    async with asyncio.timeout_at(until):
                        await woken
                except TimeoutError:
                    return None
                finally:
                    self._feed.mailbox.forget()
        finally:
            self._is_read = False

    def __aiter__(self) -> AsyncIterator[ClientEvent]:
        return self

    async def __anext__(self) -> ClientEvent:
        try:
            event = await self.poll()
        except errors.ClosedError:
            raise StopAsyncIteration from None
        assert event is not None
        return event

    def _end(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._events = iter(())
            self._hub.leave(self._feed)

    async def close(self) -> None:
        """End; more than once does no harm."""
        self._end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __del__(self) -> None:
        if getattr(self, "_is_closed", True) is False:
            self._hub.has_ended(self._feed)


def _leave(feed: Feed, tell: Callable[..., bool], hub: Hub) -> None:
    if not tell(hub.leave, feed):
        feed.mailbox.close(errors.ClosedError("the client was closed."))


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
