"""Who follows which changes: each subscription is a place in the log, woken when something came for it.

Covers:     matching what was committed, waking, reading on in the log, snapshots in front of it, beginning anew.
Not here:   the index (`live.matching`), the places (`live.subscriptions`), committing (`live.writing`).
Holds:      a few numbers for each subscription; a page of the log while one reads it.

Nothing is queued: who is slow reads later, from the log. Where the log was trimmed meanwhile, he gets `reset` and a new snapshot.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple, Self, final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.live.conditions import Condition
from flatwater.live.events import RESET, SNAPSHOT, Event, Names
from flatwater.live.log import DELETE, INSERT, UPDATE, Change, Log
from flatwater.live.matching import Groups
from flatwater.live.queries import Queries
from flatwater.live.reading import Snapshot
from flatwater.live.rows import Heads, Place, user_of
from flatwater.live.schema import Schema
from flatwater.live.subscriptions import Subscriptions
from flatwater.live.writing import look
from flatwater.store.space import Space

logger = logging.getLogger("flatwater.live")


class Followed(NamedTuple):
    """What all of a group follow: rows of one user in a table, under a condition. The table is looked up when it is read.

    Attributes:
        table: its number.
        user: whose rows; empty in a SHARED table.
        condition: of the rows.
    """

    table: int
    user: str
    condition: Condition


@final
class Following:
    """All subscriptions of a database. Thread-safe.

    Args:
        space: the inside of the store.
        heads: of rows and stream.
        log: the log.
        schema_of: the table of a number; None if it was dropped.
        told: the number up to which the log was written.
        since_of: the number below which rows of a table expired.
        queries: texts and counters.
        budget: that subscriptions take their bytes from.
    """

    def __init__(
        self, space: Space, heads: Heads, log: Log, schema_of: Callable[[int], Schema | None], told: int,
        since_of: Callable[[Schema], int], queries: Queries, budget: Budget,
    ) -> None:  # fmt: skip
        self._reservation = budget.reserve(0, "live.subscriptions")
        self.queries = queries
        self.space, self.log, self.since_of, self._heads = space, log, since_of, heads
        self.told = told  # everything up to this number was matched
        self.subscriptions = Subscriptions()
        self.groups = Groups()
        self.followed: dict[int, Followed] = {}
        self.lock = threading.RLock()
        self.schema_of = schema_of
        self._tables: Counter[int] = Counter()  # subscriptions by table
        self._waiting: dict[int, Callable[[], None]] = {}  # subscriptions of which somebody waits
        self.is_closed = False
        self.dropped: deque[int] = deque()  # subscriptions that nobody holds any more

    def tell(self, changes: list[Change]) -> None:
        """Match what was committed, and wake whom it concerns. What fails here is logged: the statement is done."""
        self.settle()
        with self.lock:
            for change in changes:
                if change.table in self._tables:
                    try:
                        self._match(change)
                    except Exception:
                        logger.exception(
                            "change %d could not be matched: all who follow read it themselves", change.sequence
                        )
                        self._note(list(self.followed), change.sequence)
            self.told = changes[-1].sequence

    def _match(self, change: Change) -> None:
        schema = self.schema_of(change.table)
        if schema is None:
            return
        old = None if change.old is None else schema.decode(change.old)
        new = None if change.new is None else schema.decode(change.new)
        found = self.groups.match(change.table, user_of(change.key) if schema.is_personal else "", old, new)
        if found:
            self._note([group for group, _op in found], change.sequence)

    def _note(self, groups: list[int], sequence: int) -> None:
        for number in self.subscriptions.note(groups, sequence):
            wake = self._waiting.pop(number, None)
            if wake is not None:
                wake()

    def settle(self) -> None:
        """End subscriptions that were dropped. Not when they are: that may be in the middle of anything, in this thread, too."""
        while self.dropped:
            try:
                number = self.dropped.popleft()
            except IndexError:  # another thread was faster
                return
            self.leave(number)

    def behind(self) -> int | None:
        """The number behind which somebody still has to read; None if all are level."""
        with self.lock:
            return self.subscriptions.behind()

    def follow(
        self, followed: Followed, user: int, names: Names, *, last_rows: int | None, since: int | None
    ) -> Subscription:
        """A subscription, from now on or from `since` on.

        Args:
            followed: what.
            user: a number for whom, by which they are counted.
            names: of the columns of its rows.
            last_rows: of the snapshot, at most; None for all, 0 for none.
            since: go on behind this number, without a snapshot.
        """
        self.settle()
        with self.lock:
            if self.is_closed:
                raise errors.ClosedError("the database was closed.", hint="Open it again.")
            group = self.groups.add(followed.table, followed.user, followed.condition.predicate)
            number = self.subscriptions.add(group, user, self.told if since is None else since)
            try:
                self._reserve()
            except BaseException:
                self.subscriptions.remove(number)
                self.groups.remove(group)
                raise
            self.followed.setdefault(group, followed)
            self._tables[followed.table] += 1
            snapshot = Snapshot(self.space, self.log, self.told)
        made = Subscription(self, number, names)
        made.begin(snapshot, last_rows=last_rows, since=since)
        return made

    def _reserve(self) -> None:
        """Take what all of them hold from the budget, in steps, or give back."""
        held = self.groups.bytes_held() + self.subscriptions.bytes_held()
        held += len(self.subscriptions) * limits.LIVE_READER_BYTES
        step = limits.LIVE_FOLLOW_BYTES
        if not self._reservation.bytes - 2 * step <= held <= self._reservation.bytes:
            self._reservation.resize(-(-held // step) * step)

    def read(self, number: int) -> tuple[Place, Condition]:
        """The rows that a subscription follows, as its table is now.

        Raises:
            UsageError: it was dropped.
        """
        followed = self.followed[self.subscriptions.group(number)]
        schema = self.schema_of(followed.table)
        if schema is None:
            raise errors.UsageError("the table of the subscription was dropped.", hint="Close the subscription.")
        return Place(self._heads, schema, followed.user), followed.condition

    def leave(self, number: int) -> None:
        """Follow no longer."""
        with self.lock:
            if self.is_closed:
                return
            group = self.subscriptions.group(number)
            table = self.followed[group].table
            self.subscriptions.remove(number)
            if self.groups.remove(group):
                del self.followed[group]
            self._tables[table] -= 1
            if not self._tables[table]:
                del self._tables[table]
            self._reserve()
            wake = self._waiting.pop(number, None)
        if wake is not None:
            wake()
        self.queries.leave(number)

    def held(self) -> tuple[int, int]:
        """Bytes of conditions, and of places."""
        with self.lock:
            return self.groups.bytes_held(), self.subscriptions.bytes_held()

    def promised(self) -> int:
        """Bytes that were taken from the budget for all of them."""
        return self._reservation.bytes

    def wait(self, number: int, wake: Callable[[], None]) -> bool:
        """Whether something is there for a subscription; if not, `wake` is called once when something comes."""
        with self.lock:
            if self.is_closed or self.subscriptions.pending(number):
                return True
            self._waiting[number] = wake
            return False

    def forget(self, number: int) -> None:
        """Nobody waits any more."""
        with self.lock:
            self._waiting.pop(number, None)

    def close(self) -> None:
        """End all: who waits is woken, and told."""
        with self.lock:
            self.is_closed = True
            waiting, self._waiting = list(self._waiting.values()), {}
            self._reservation.release()
        for wake in waiting:
            wake()


@final
class Subscription:
    """Rows of a query, then their changes, as they are committed: an iterator, an async iterator, a context manager.

    It ends with `close()`, with the database, or when it is dropped. One thread or task at a time.
    """

    __slots__ = ("_events", "_hub", "_names", "_number", "_start")

    def __init__(self, hub: Following, number: int, names: Names) -> None:
        self._hub = hub
        self._number = number
        self._names = names
        self._events: Iterator[Event] | None = None
        self._start: tuple[Snapshot, int | None, int | None] | None = None  # until it is read

    @property
    def seq(self) -> int:
        """The number up to which it was read: what `since=` of another subscription goes on from."""
        return self._hub.subscriptions.cursor(self._alive())

    def begin(self, snapshot: Snapshot, *, last_rows: int | None, since: int | None) -> None:
        """Where it starts."""
        if since is not None or last_rows != 0:
            self._start = snapshot, last_rows, since

    def enter(self, user: str, text: str) -> None:
        """Say whose it is, and what it asks for."""
        self._hub.queries.enter(self._number, user, text)

    def poll(self, seconds: float = 0.0) -> Event | None:
        """The next event, or None if none comes in so many seconds.

        Raises:
            ClosedError: it, or the database, was closed.
        """
        until = time.monotonic() + seconds
        while True:
            event = self._ready()
            if event is not None:
                return event
            woken = threading.Event()
            if not self._hub.wait(self._alive(), woken.set) and not woken.wait(max(0.0, until - time.monotonic())):
                self._hub.forget(self._number)
                return None

    async def apoll(self, seconds: float | None = None) -> Event | None:
        """As `poll`, without a thread that waits; `seconds` of None waits for as long as it takes."""
        while True:
            event = await asyncio.to_thread(self._ready)
            if event is not None:
                return event
            loop = asyncio.get_running_loop()
            woken = loop.create_future()

            def wake(woken: asyncio.Future[None] = woken, loop: asyncio.AbstractEventLoop = loop) -> None:
                loop.call_soon_threadsafe(_wake, woken)

            if not self._hub.wait(self._alive(), wake):
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
        self._events = self._start = None
        if number >= 0:
            self._hub.leave(number)

    # --- reading ------------------------------------------------------------------------------------------------------

    def _alive(self) -> int:
        if self._number < 0 or self._hub.is_closed:
            raise errors.ClosedError("the subscription was closed.", hint="Subscribe again; since= goes on.")
        return self._number

    def _ready(self) -> Event | None:
        """An event that is there; None if there is none."""
        while True:
            if self._start is not None:
                (snapshot, last_rows, since), self._start = self._start, None
                self._events = self._counted(
                    self._snapshot(snapshot, last_rows) if since is None else self._changes(since, snapshot.at)
                )
            elif self._events is None:
                hub, number = self._hub, self._alive()
                with hub.lock:
                    begin = hub.subscriptions.take(number, hub.told)
                    told = hub.told
                if not begin:
                    return None
                self._events = self._counted(self._changes(begin - 1, told))
            event = next(self._events, None)
            if event is not None:
                return event
            self._events = None

    def _counted(self, events: Iterator[Event]) -> Iterator[Event]:
        """The same; how many there were is written down at the end."""
        count = 0
        with self._hub.space.budget.reserve(limits.LIVE_LOG_PAGE_BYTES, "live.follow"):
            for event in events:
                count += 1
                yield event
        if count:
            self._hub.queries.count(self._number, count)

    def _snapshot(self, snapshot: Snapshot, last_rows: int | None) -> Iterator[Event]:
        """The rows that there are, in the order of their keys."""
        place, condition = self._hub.read(self._number)
        schema = place.schema
        since, within = self._hub.since_of(schema), condition.range(place)
        if last_rows is not None:
            within = _last(snapshot, place, condition, since, last_rows)
        for page in snapshot.pages(within, since=since):
            for _key, json in page:
                if condition.matches(schema.decode(json)):
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
                with hub.lock:
                    snapshot = Snapshot(hub.space, hub.log, hub.told)
                    hub.subscriptions.take(number, hub.told)
                yield Event(RESET, snapshot.at, schema, self._names, None)
                yield from self._snapshot(snapshot, None)
                return
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
            op, new, old = DELETE, change.old, None
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


def _last(snapshot: Snapshot, place: Place, condition: Condition, since: int, rows: int) -> tuple[bytes, bytes]:
    """The range of the last so many rows that the condition holds for."""
    low, high = condition.range(place)
    first, left = high, rows
    for page in snapshot.pages((low, high), reverse=True, since=since):
        for key, json in page:
            if condition.matches(place.schema.decode(json)):
                first, left = key, left - 1
                if not left:
                    return first, high
    return first, high
