"""Changes to all who follow them: looked up once, made into a frame once, the same bytes to everybody; and who is behind reads the log.

Covers:     giving out what was committed, who may be given it, readers of the log for the others.
Not here:   frames (`serving.channels`), connections (`serving.connection`), matching (`live.following`).
Holds:      changes that were committed and not yet given out, at most `SERVE_FANOUT_BYTES` and one transaction's.

A client who reads slowly has no queue: it is taken from those who are given changes, and its place in the log says where it goes on.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, final

from flatwater import errors, limits
from flatwater.live.following import Following
from flatwater.live.log import Change
from flatwater.live.schema import Schema
from flatwater.live.serving.channels import Channel
from flatwater.live.serving.feed import Feed

if TYPE_CHECKING:
    from flatwater.live.serving.connection import Connection

logger = logging.getLogger("flatwater.live")

_MEMBERS = 128  # who are given something before the time is looked at
_BYTES = 200  # of a change beside its rows


class _Offer(NamedTuple):
    """A change that was committed."""

    sequence: int
    schema: Schema
    old: bytes | None
    new: bytes | None
    found: list[tuple[int, int]]  # groups, each with its operation
    size: int


@final
class Fanout:
    """Gives changes out on an event loop. `offer`, `wake` and `make_room` are for any thread, all else for the loop's.

    Args:
        following: whose changes.
        loop: that is running.
        is_shared: whether others have work on it.
    """

    def __init__(
        self, following: Following, loop: asyncio.AbstractEventLoop, is_shared: Callable[[], bool] = lambda: False
    ) -> None:
        self.targets: dict[int, Feed] = {}
        self.levels: set[int] = set()
        self.delivered = 0  # messages of changes that were given as they came
        self._following = following
        self._loop = loop
        self._thread = threading.get_ident()
        self._offers: deque[_Offer] = deque()
        self._held = 0  # bytes of these
        self._giving: Iterator[None] | None = None
        self._is_shared = is_shared
        self._has_room = threading.Event()
        self._has_room.set()
        self._is_scheduled = False
        self._woken: set[int] = set()
        self._is_closed = False
        self._due: deque[Connection] = deque()
        self._short: Counter[Connection] = Counter()  # queries that found no bytes to read the log, and will try again
        self._came = asyncio.Event()  # something is due
        self._threads = ThreadPoolExecutor(limits.SERVE_READERS, "flatwater-feeds")
        self._readers = [loop.create_task(self._read()) for _ in range(limits.SERVE_READERS)]
        with following.lock:
            following.pushing = self
        following.queries.pushed = self.pushed

    # --- what was committed -------------------------------------------------------------------------------------------

    def position(self, told: int) -> int:
        """The number up to which everything was given; `told` if nothing waits. With the lock of `following`."""
        return self._offers[0].sequence - 1 if self._offers else told

    def make_room(self) -> None:
        """Wait, a little, while too much waits to be given out."""
        if not self._has_room.is_set() and threading.get_ident() != self._thread:
            self._has_room.wait(limits.SERVE_FANOUT_WAIT_S)

    def offer(self, change: Change, schema: Schema, found: list[tuple[int, int]]) -> bool:
        """Take a change to be given out; False where there is no room, or nobody to give it to. With the lock."""
        if not self.levels or self._is_closed or self._held > limits.SERVE_FANOUT_BYTES:
            return False
        size = len(change.old or b"") + len(change.new or b"") + _BYTES + 16 * len(found)
        self._offers.append(_Offer(change.sequence, schema, change.old, change.new, found, size))
        self._held += size
        if self._held > limits.SERVE_FANOUT_BYTES:
            self._has_room.clear()
        self._schedule()
        return True

    def wake(self, number: int) -> None:
        """Something is in the log for one of them. With the lock."""
        self._woken.add(number)
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_scheduled and not self._is_closed:
            self._is_scheduled = True
            self._loop.call_soon_threadsafe(self._give)

    def _give(self) -> None:
        """Give out what waits, for one tick; then others on the loop have as long, if there are any."""
        begin = time.monotonic()
        if self._is_closed:
            return
        with self._following.lock:
            woken, self._woken = self._woken, set()
            for number in woken:
                feed = self.targets.get(number)
                if feed is not None:
                    self.late(feed)
            if self._giving is None:
                self._giving = self._rounds()
            for _some in self._giving:
                if time.monotonic() - begin > limits.SERVE_TICK_S:
                    break
            else:
                self._giving = None
            self._is_scheduled = self._giving is not None
        if self._held <= limits.SERVE_FANOUT_BYTES // 2:
            self._has_room.set()
        if self._is_scheduled:
            self._loop.call_later(time.monotonic() - begin if self._is_shared() else 0, self._give)

    def _rounds(self) -> Iterator[None]:
        """Give out what waits, in rounds of as many changes as a client may have in its outbox, each client's in one piece.

        It stops behind some clients. What a client was given is in its cursor; offers stay until their round is over.
        """
        offers, subscriptions = self._offers, self._following.subscriptions
        while offers:
            groups: dict[int, list[tuple[int, _Offer]]] = {}
            size = count = 0
            for offer in offers:
                size += offer.size
                if count and size > limits.SERVE_OUTBOX_BYTES:
                    break
                count += 1
                for group, op in offer.found:
                    groups.setdefault(group, []).append((op, offer))
            for group, changes in groups.items():
                made: dict[Channel, bytes] = {}
                numbers = list(subscriptions.members(group))  # as they are now: who comes later has read these changes
                for at in range(0, len(numbers), _MEMBERS):
                    for number in numbers[at : at + _MEMBERS]:
                        if number in self.levels:
                            self._give_one(number, changes, made)
                    yield
            for _ in range(count):
                self._held -= offers.popleft().size

    def _give_one(self, number: int, changes: list[tuple[int, _Offer]], made: dict[Channel, bytes]) -> None:
        """Give changes to one who is level, as far as they are new to him; `made` are frames that others had."""
        following, subscriptions = self._following, self._following.subscriptions
        cursor, last = subscriptions.cursor(number), changes[-1][1].sequence
        if cursor >= last:
            return
        feed = self.targets[number]
        connection = feed.connection
        if connection.is_paused or subscriptions.pending(number):
            following.unlevel(number)
            self.late(feed)
            return
        first, given = changes[0][1].sequence, len(changes)
        channel = feed.channel
        try:
            if cursor >= first:  # it has read some of them
                new = [change for change in changes if change[1].sequence > cursor]
                frames, given = _frames(channel, new), len(new)
            elif (found := made.get(channel)) is None:
                frames = made[channel] = _frames(channel, changes)
            else:
                frames = found
        except Exception:  # reading them from the log will say what it is
            logger.exception("changes could not be given")
            following.unlevel(number)
            self.late(feed)
            return
        subscriptions.advance(number, last)
        if not feed.is_ready:
            connection.write(feed.ready(max(cursor, first - 1)))
        connection.write(frames)
        self.delivered += given
        feed.pushed += given

    def pushed(self, number: int) -> int:
        """How many changes a query was given as they came. In any thread."""
        feed = self.targets.get(number)
        return 0 if feed is None else feed.pushed

    # --- who is behind ------------------------------------------------------------------------------------------------

    def add(self, feed: Feed) -> None:
        """One more, who reads the log first."""
        self.targets[feed.number] = feed
        self.late(feed)

    def remove(self, feed: Feed) -> None:
        """One less; its reader is the caller's to close."""
        with self._following.lock:
            if self.targets.get(feed.number) is feed:
                del self.targets[feed.number]
                self.levels.discard(feed.number)

    def late(self, feed: Feed) -> None:
        """It has to read the log."""
        feed.connection.behind_of()[feed] = None
        self.due(feed.connection)

    def due(self, connection: Connection) -> None:
        """Some of its queries may have to read the log, if it can be written to."""
        if connection.behind and not connection.is_due and not connection.is_paused:
            connection.is_due = True
            self._due.append(connection)
            self._came.set()

    async def _read(self) -> None:
        """Read for one after another, a page each."""
        while True:
            while not self._due:
                self._came.clear()
                await self._came.wait()
            connection = self._due.popleft()
            if connection.is_paused or not connection.behind:
                connection.is_due = False
                continue
            feed = next(iter(connection.behind))
            del connection.behind[feed]
            if not connection.behind:
                connection.behind = None  # an empty dict of each connection would be a tenth of what it takes
            await self._page(connection, feed)
            connection.is_due = False
            self.due(connection)

    async def _page(self, connection: Connection, feed: Feed) -> None:
        """Read for one query, for some time; between two turns it holds nothing."""
        until = time.monotonic() + limits.SERVE_READ_S
        try:
            while (frames := await self._loop.run_in_executor(self._threads, feed.page)) is not None:
                if self.targets.get(feed.number) is not feed:
                    return
                for frame in frames:
                    connection.write(frame)
                if connection.is_paused or time.monotonic() > until:
                    await self._loop.run_in_executor(self._threads, feed.rest)
                    if self.targets.get(feed.number) is feed:
                        connection.behind_of()[feed] = None
                    return
        except errors.BudgetExceeded:  # it is where it was: later
            self._short[connection] += 1
            self._loop.call_later(limits.SERVE_AGAIN_S, self._again, feed)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, this query ends, and says why
            connection.ended(feed, error)
            return
        if not feed.is_ready and self.targets.get(feed.number) is feed:
            connection.write(feed.ready(self._following.subscriptions.cursor(feed.number)))

    def _again(self, feed: Feed) -> None:
        self._short[feed.connection] -= 1
        if not self._short[feed.connection]:
            del self._short[feed.connection]
        if self.targets.get(feed.number) is feed:
            self.late(feed)

    def is_level(self, connection: Connection) -> bool:
        """Whether everything that was committed for its queries was written to it."""
        is_behind = connection.behind or connection.is_due or connection.is_paused
        return not is_behind and connection not in self._short

    async def close(self) -> None:
        """Give nothing any more; changes wait in the log."""
        with self._following.lock:
            self._is_closed = True
            self._following.pushing = None
            self._offers.clear()
            self._giving = None
        self._has_room.set()
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        await self._loop.run_in_executor(None, self._threads.shutdown)


def _frames(channel: Channel, changes: list[tuple[int, _Offer]]) -> bytes:
    """The frames of some changes, one behind another."""
    made = [channel.change(op, each.sequence, each.schema, each.old, each.new) for op, each in changes]
    return made[0] if len(made) == 1 else b"".join(made)
