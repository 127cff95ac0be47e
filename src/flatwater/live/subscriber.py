"""One who follows rows: a snapshot, then each change from the log, once, in order; what fails is gone on from, or begun anew.

Covers:     the public `Subscription`: polling, waiting, iterating, snapshots, reading on in the log.
Not here:   all of them together, matching and waking (`live.following`), events (`live.events`).
Holds:      a page of rows or of the log while it is read.
"""

from __future__ import annotations

import asyncio
import enum
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Self, final

from flatwater import errors, limits
from flatwater.live.access import AccessDenied
from flatwater.live.conditions import Condition
from flatwater.live.events import RESET, SNAPSHOT, Event, Names
from flatwater.live.log import DELETE, INSERT, UPDATE, Change
from flatwater.live.readers import OneReader
from flatwater.live.reading import Snapshot
from flatwater.live.rows import Place
from flatwater.live.schema import Schema
from flatwater.live.writing import look

if TYPE_CHECKING:
    from flatwater.live.following import Following


class Start(enum.Enum):
    """What a subscription has to read next, if it is not what came since."""

    RESET = enum.auto()  # a new snapshot
    RESUME = enum.auto()  # the log, behind what was handed out last


_RESET, _RESUME = Start.RESET, Start.RESUME


class _Paused(NamedTuple):
    """A snapshot of which some was read."""

    snapshot: Snapshot
    first: bytes  # key from which on it goes on


class _Lost(Exception):  # noqa: N818 - it is no error: a new snapshot follows
    """The log does not reach back to where a subscription stands."""


@final
class Subscription(OneReader):
    """Rows of a query, then their changes, as they are committed: an iterator, an async iterator, a context manager.

    It ends with `close()`, with the database, or when it is dropped. One thread or task reads it at a time, another one is refused; any
    thread may close it.
    """

    __slots__ = ("_events", "_hub", "_last_rows", "_names", "_number", "_paused", "_start")

    def __init__(
        self, hub: Following, number: int, names: Names, start: Snapshot | Start | None, last_rows: int | None
    ) -> None:
        self._hub = hub
        self._number = number
        self._names = names
        self._last_rows = last_rows
        self._is_read = False  # somebody polls it
        self._start: Snapshot | _Paused | Start | None = start  # what comes next, if it is not what came since
        self._paused: _Paused | None = None  # where the snapshot is that is being read
        self._events: Iterator[Event] | None = None

    @property
    def seq(self) -> int:
        """The number up to which it was read: what `since=` of another subscription goes on from."""
        return self._hub.subscriptions.cursor(self._alive())

    def enter(self, user: str, text: str) -> None:
        """Say whose it is, and what it asks for."""
        self._hub.queries.enter(self._number, user, text)

    def poll(self, seconds: float = 0.0) -> Event | None:
        """The next event, or None if none comes in so many seconds.

        Raises:
            ClosedError: it, or the database, was closed.
            UsageError: another thread or task reads it.
        """
        until = time.monotonic() + seconds
        self._take_turn()
        try:
            while True:
                event = self._ready()
                if event is not None:
                    return event
                woken = threading.Event()
                if not self._waits(woken.set) and not woken.wait(max(0.0, until - time.monotonic())):
                    self._hub.forget(self._number)
                    return None
        finally:
            self._is_read = False

    async def apoll(self, seconds: float | None = None) -> Event | None:
        """As `poll`, without a thread that waits; `seconds` of None waits for as long as it takes."""
        self._take_turn()
        try:
            return await self._apoll(seconds)
        finally:
            self._is_read = False

    async def _apoll(self, seconds: float | None) -> Event | None:
        while True:
            if self._events is not None:
                event = self._ready()  # of a page that was read, or the next one
            else:
                event = await asyncio.to_thread(self._ready) if self._is_due() else None
            if event is not None:
                return event
            loop = asyncio.get_running_loop()
            woken = loop.create_future()

            def wake(woken: asyncio.Future[None] = woken, loop: asyncio.AbstractEventLoop = loop) -> None:
                loop.call_soon_threadsafe(_wake, woken)

            if not self._waits(wake):
                try:
                    await asyncio.wait_for(woken, seconds)
                except TimeoutError:
                    return None
                finally:
                    self._hub.forget(self._number)

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        while True:
            if self._number < 0 or self._hub.is_closed:
                raise StopIteration
            event = self.poll(threading.TIMEOUT_MAX / 2)
            if event is not None:
                return event

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        if self._number < 0 or self._hub.is_closed:
            raise StopAsyncIteration
        try:
            event = await self.apoll()
        except errors.ClosedError:
            event = None
        if event is None:
            raise StopAsyncIteration
        return event

    def close(self) -> None:
        """End; more than once does no harm."""
        number, self._number = self._number, -1
        self._events = self._start = self._paused = None
        if number >= 0:
            self._hub.leave(number)

    # --- reading ------------------------------------------------------------------------------------------------------

    def _alive(self) -> int:
        if self._number < 0 or self._hub.is_closed:
            raise errors.ClosedError("the subscription was closed.", hint="Subscribe again; since= goes on.")
        return self._number

    def _waits(self, wake: Callable[[], None]) -> bool:
        """Whether something is there; if not, `wake` is called once: also by `close`, which comes before this or behind it."""
        with self._hub.lock:
            return self._hub.wait(self._alive(), wake)

    def _is_due(self) -> bool:
        """Whether there is something to read."""
        return self._start is not None or self._hub.subscriptions.pending(self._alive())

    def page(self, size: int) -> list[Event] | None:
        """Events that are there, of one reading, until their JSON is `size` bytes; None if there is nothing to read: it is level.

        Until `rest` is called, or a reading is over, it holds a page of rows or of the log.

        From the moment at which it is level it may be given changes as they come (`Following.pushing`).
        """
        number = self._alive()
        if self._events is None:
            self._events = self._begun(number)
            if self._events is None:
                return None
        events: list[Event] = []
        while size > 0:
            event = self._read_on(number)
            if event is None:
                break
            events.append(event)
            size -= event.size
        return events

    def rest(self) -> None:
        """Hold nothing until the next page: what is being read is begun again where it is."""
        if self._events is None:
            return
        events, self._events = self._events, None
        self._start = self._paused or _RESUME
        if isinstance(events, Generator):
            events.close()

    @property
    def is_reading(self) -> bool:
        """Whether a snapshot, or what came since, was begun and is not over."""
        return self._events is not None or self._start is not None

    @property
    def number(self) -> int:
        """By which it is known; -1 when it is closed."""
        return self._number

    @property
    def names(self) -> Names:
        """Columns that were asked for."""
        return self._names

    def _ready(self) -> Event | None:
        """An event that is there; None if there is none."""
        while True:
            number = self._alive()
            if self._events is None:
                begun = self._begun(number)
                if begun is None:
                    return None
                self._events = begun
            event = self._read_on(number)
            if event is not None:
                return event

    def _read_on(self, number: int) -> Event | None:
        """The next event of the reading under way; None where it is over.

        What was handed out is noted one by one: whatever fails, the next call goes on behind it, or says `reset`.
        """
        events = self._events
        if events is None:  # it was closed meanwhile
            return None
        try:
            event = next(events, None)
        except (_Lost, errors.LimitReached):
            self._events, self._start, self._paused = None, _RESET, None
            return None
        except errors.BudgetExceeded:
            self._events = None
            raise
        except (errors.UsageError, AccessDenied):  # there is nothing to follow any more
            self.close()
            raise
        except BaseException:
            self._events = None
            raise
        if self._number != number:  # as well
            return None
        if event is None:
            self._events = self._start = self._paused = None
        elif event.op in {"snapshot", "reset"}:
            self._start = _RESET  # if it fails from here on
        else:
            self._hub.subscriptions.advance(number, event.seq)
        return event

    def _begun(self, number: int) -> Iterator[Event] | None:
        """What there is to read now; None if nothing is."""
        hub, start, behind = self._hub, self._start, 0
        with hub.lock:
            self._alive()
            told = hub.told
            if start is None and hub.is_level(number):
                return None
            hub.unlevel(number)
            if start is _RESET:
                hub.subscriptions.level(number, told)
            elif start is _RESUME:
                behind = hub.subscriptions.go_on(number)
            elif start is None:
                begin = hub.subscriptions.take(number, told)
                if not begin:
                    hub.levelled(number)
                    return None
                behind, self._start = begin - 1, _RESUME
        if isinstance(start, Snapshot):
            return self._counted(self._snapshot(start))
        if isinstance(start, _Paused):
            return self._counted(self._snapshot(*start))
        if start is _RESET:
            return self._counted(self._reset(Snapshot(hub.space, hub.log, told)))
        return self._counted(self._changes(behind, told))

    def _counted(self, events: Iterator[Event]) -> Iterator[Event]:
        """The same; how many there were is written down at the end."""
        count = 0
        with self._hub.space.budget.reserve(limits.LIVE_LOG_PAGE_BYTES, "live.follow"):
            try:
                for event in events:
                    count += 1
                    yield event
            finally:
                if count and self._number >= 0 and not self._hub.is_closed:
                    self._hub.queries.count(self._number, count)

    def _reset(self, snapshot: Snapshot) -> Iterator[Event]:
        """Another snapshot, and the word that what came before no longer holds."""
        place, _condition = self._hub.read(self._number)
        self._paused = _Paused(snapshot, b"")
        yield Event(RESET, snapshot.at, place.schema, self._names, None)
        yield from self._snapshot(snapshot)

    def _snapshot(self, snapshot: Snapshot, first: bytes = b"") -> Iterator[Event]:
        """The rows that there are, from a key on, in the order of their keys; the last ones, if only these are wanted."""
        place, condition = self._hub.read(self._number)
        schema = place.schema
        since = self._hub.since_of(schema)
        if self._last_rows == 0:
            return
        if self._last_rows is not None and not first:
            first = _first(snapshot, place, condition, since, self._last_rows)
        ranges = ((max(low, first), high) for low, high in condition.ranges(place) if first < high)
        for page in snapshot.walk(ranges, place.there, since=since):
            for key, json in page:
                if condition.matches(schema.decode(json)):
                    self._paused = _Paused(snapshot, key + b"\0")
                    yield Event(SNAPSHOT, snapshot.at, schema, self._names, json)

    def _changes(self, behind: int, up_to: int) -> Iterator[Event]:
        """What the log has for it behind a number, up to and with another."""
        hub, number = self._hub, self._number
        place, condition = self._hub.read(self._number)
        schema, (low, high) = place.schema, place.range
        while behind < up_to:

            def read(_get: Any, page: Any, behind: int = behind) -> tuple[bool, list[Change]]:
                return hub.log.begins(page)[1] > behind, hub.log.behind(page, behind, up_to)

            is_trimmed, changes = look(hub.space, read)
            if is_trimmed:
                raise _Lost
            for change in changes:
                behind = change.sequence
                if change.table == schema.number and low <= change.key < high:
                    event = self._event(change, schema, condition)
                    if event is not None:
                        yield event
            if not changes:
                return
            hub.subscriptions.advance(number, behind)

    def _event(self, change: Change, schema: Schema, condition: Condition) -> Event | None:
        was = change.old is not None and condition.matches(schema.decode(change.old))
        is_now = change.new is not None and condition.matches(schema.decode(change.new))
        if is_now:
            op, new, old = (UPDATE, change.new, change.old) if was else (INSERT, change.new, None)
        elif was:
            op, new, old = DELETE, change.old, change.old
        else:
            return None
        return Event(op, change.sequence, schema, self._names, new, old)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_number", -1) >= 0:
            self._hub.dropped.append(self._number)


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)


def _first(snapshot: Snapshot, place: Place, condition: Condition, since: int, rows: int) -> bytes:
    """The key of the first of the last so many rows that the condition holds for."""
    first, left = b"", rows
    for page in snapshot.walk(reversed(condition.ranges(place)), place.there, reverse=True, since=since):
        for key, json in page:
            if condition.matches(place.schema.decode(json)):
                first, left = key, left - 1
                if not left:
                    return first
    return first
