"""Connections of one client's live queries: one that all share, made again when it is lost, and one for each long snapshot.

Covers:     which query is on which connection, coming back with growing pauses, queries that are not read.
Not here:   a connection (`client.line`), a query (`client.feed`).
Holds:      what its connections hold.

A query whose reader does not read is taken off its connection, and goes on where it was when he does, so that others go on. A snapshot
cannot go on: where one is not read as fast as it comes, it keeps its connection, which is read no faster than it, and all others move.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits
from flatwater.live.client.asking import Settings
from flatwater.live.client.feed import Feed
from flatwater.live.client.keys import Keys
from flatwater.live.client.line import Line, Lost
from flatwater.live.client.retrying import pause_of

if TYPE_CHECKING:
    from flatwater.budget.budget import Budget
    from flatwater.budget.reservation import Reservation


@final
class Hub:
    """Live queries of one client. For its loop alone, except `has_room`.

    Args:
        settings: of the client.
        budget: that connections are taken from.
        token: gives one that holds; it is passed one that was refused.
        keys: of the client.
    """

    def __init__(
        self, settings: Settings, budget: Budget, token: Callable[[str], Awaitable[str]], keys: Keys
    ) -> None:  # fmt: skip
        self.settings, self.budget, self.token, self.keys = settings, budget, token, keys
        self.loop = asyncio.get_running_loop()
        self._feeds: set[Feed] = set()
        self._waiting: dict[Feed, None] = {}  # for the next connection
        self._shared: Line | None = None
        self._keeper: asyncio.Task[None] | None = None  # of the one that all share
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self._error: Exception | None = None  # why there is no connection
        self._spare: Reservation | None = None  # of the next connection

    # --- queries ------------------------------------------------------------------------------------------------------

    def feed(self, text: str, params: Any, last_rows: int | None, since: int | None) -> Feed:
        """A live query that is not asked for yet. In any thread."""
        return Feed(text, params, last_rows, since, self.budget, self.has_room)

    async def open(self, feed: Feed) -> tuple[str, ...]:
        """Ask for a live query; its columns.

        Raises:
            FlatwaterError: the server refuses it, or is not there.
        """
        try:
            if self._is_closed:
                raise errors.ClosedError("the client was closed.")  # noqa: TRY301
            if len(self._feeds) >= limits.CLIENT_SUBSCRIPTIONS_MAX:
                raise errors.LimitReached(  # noqa: TRY301
                    f"this client has {len(self._feeds)} live queries.", what="subscriptions",
                    limit=limits.CLIENT_SUBSCRIPTIONS_MAX, hint="Close some, or make another client.",
                )  # fmt: skip
            feed.opened = self.loop.create_future()
            self._feeds.add(feed)
            self._place(feed)
            async with asyncio.timeout(self.settings.timeout_s):
                return await feed.opened
        except TimeoutError:
            self.leave(feed)
            raise self._error or errors.BrokenError("the server does not answer in time.") from None
        except BaseException:
            self.leave(feed)
            raise

    def leave(self, feed: Feed) -> None:
        """It is closed."""
        self._feeds.discard(feed)
        self._waiting.pop(feed, None)
        line = feed.line
        if line is not None:
            line.remove(feed)
        feed.fail(errors.ClosedError("the subscription was closed.", hint="Subscribe again; since= goes on."))
        if feed.opened is not None and feed.opened.done() and not feed.opened.cancelled():
            feed.opened.exception()  # it is known
        feed.mailbox.close(errors.ClosedError("the subscription was closed.", hint="Subscribe again; since= goes on."))
        if line is not None and line.alone is feed:
            self._begin(line.close())

    def has_ended(self, feed: Feed) -> None:
        """Its reader was dropped. In any thread."""
        with contextlib.suppress(RuntimeError):  # the loop was closed
            self.loop.call_soon_threadsafe(self.leave, feed)

    def has_room(self, feed: Feed) -> None:
        """What waited was read. In any thread."""
        with contextlib.suppress(RuntimeError):  # the loop was closed
            self.loop.call_soon_threadsafe(self._go_on, feed)

    def _go_on(self, feed: Feed) -> None:
        feed.room.set()
        if feed.is_parked and not feed.is_ended:
            feed.is_parked = False
            self._place(feed)

    def refused(self, feed: Feed, error: Exception, *, may_go_on: bool = False) -> None:
        """The server does not go on with it; later, perhaps, if it did before."""
        if may_go_on and feed.opened is not None and feed.opened.done() and feed.tries < limits.CLIENT_TRIES:
            feed.lost()
            feed.tries += 1
            self.loop.call_later(pause_of(feed.tries), self._place, feed)
            return
        self._feeds.discard(feed)
        feed.fail(error)

    # --- places -------------------------------------------------------------------------------------------------------

    def _place(self, feed: Feed) -> None:
        """Put it on the connection that all share."""
        if feed.is_ended or self._is_closed:
            return
        if feed.mailbox.is_full:
            feed.is_parked = True
        elif self._shared is not None:
            self._shared.add(feed)
        else:
            self._waiting[feed] = None
            if self._keeper is None:
                self._keeper = self._begin(self._keep())

    def park(self, line: Line, feed: Feed) -> None:
        """Its reader does not read: it leaves its connection until he does."""
        line.remove(feed)
        feed.lost()
        self._place(feed)

    def set_apart(self, line: Line, feed: Feed) -> None:
        """Its snapshot is not read as fast as it comes: this connection is its own from now on, and others move."""
        apart = sum(1 for each in self._feeds if each.line is not None and each.line.alone is each)
        if apart + 1 >= limits.CLIENT_SOCKETS_MAX:
            line.remove(feed)
            error = errors.LimitReached(
                f"{apart} long snapshots of this client are not read, each with a connection of its own.",
                what="connections", limit=limits.CLIENT_SOCKETS_MAX, hint="Read one to its end before the next one.",
            )  # fmt: skip
            self.refused(feed, error)
            return
        try:
            self._spare = self._reserved()
        except errors.BudgetExceeded as error:
            line.remove(feed)
            self.refused(feed, error)
            return
        others = line.others(feed)
        line.alone = feed
        self._shared = self._keeper = None
        for each in others:
            line.remove(each)
            self._place(each)
        if self._keeper is None:  # nobody needs another one now
            self._spare.release()
            self._spare = None

    def rejoin(self, line: Line, feed: Feed) -> None:
        """Its snapshot is complete: it goes on with all others, and its connection ends."""
        line.remove(feed)
        self._place(feed)

    # --- connections --------------------------------------------------------------------------------------------------

    async def opening(self) -> Any:
        """A WebSocket."""
        return await _connecting()(
            self.settings.live_url, ssl=self.settings.tls, compression=None, proxy=None, max_size=self.settings.message_bytes,
            max_queue=1, ping_interval=None, close_timeout=limits.CLIENT_CLOSE_S, open_timeout=None, user_agent_header=None,
        )  # fmt: skip

    def _reserved(self) -> Reservation:
        size = 2 * self.settings.message_bytes + limits.CLIENT_SOCKET_BYTES
        return self.budget.reserve(size, "client.connections")

    async def _keep(self) -> None:
        """Have a connection for as long as somebody waits for one; until it is a snapshot's own."""
        reservation: Reservation | None = None
        try:
            reservation, self._spare = self._spare or self._reserved(), None
            await self._connections()
        except Exception as error:  # noqa: BLE001 - who waits is told
            waiting, self._waiting = list(self._waiting), {}
            for feed in waiting:
                self.refused(feed, error)
        finally:
            if reservation is not None:
                reservation.release()
            if self._keeper is asyncio.current_task():
                self._keeper = None
            if self._keeper is None:
                waiting, self._waiting = list(self._waiting), {}
                for feed in waiting:
                    self._place(feed)

    async def _connections(self) -> None:
        """One after another.

        Raises:
            FlatwaterError: another one makes no sense.
        """
        attempt, stale = 0, ""
        while self._waiting:
            line = Line(self)
            try:
                await self._serve(line, stale)
                if line.alone is not None:
                    return
                attempt, stale = 0, ""
            except Lost as lost:
                if line.alone is not None:
                    return
                self._error = lost.error
                if stale and lost.stale and not line.is_of_use:
                    raise lost.error from None  # the token that was had in the place of a refused one is refused, too
                stale = lost.stale
                attempt = 1 if line.is_of_use else attempt + 1
                self._give_up(lost, attempt)
                if self._waiting and not (stale and attempt == 1):
                    await asyncio.sleep(pause_of(attempt))

    async def _serve(self, line: Line, stale: str) -> None:
        """One connection, from its beginning to its end."""
        await line.connect(stale)
        self._shared, self._error = line, None
        waiting, self._waiting = list(self._waiting), {}
        for feed in waiting:
            line.add(feed)
        try:
            await line.run()
        except Lost:
            raise
        except Exception as error:  # noqa: BLE001 - its queries are told, and no others
            for feed in line.ended():
                self.refused(feed, error)
        finally:
            if self._shared is line:
                self._shared = None
            for feed in line.ended():
                feed.lost()
                if line.alone is None:
                    self._waiting[feed] = None
                else:
                    self._place(feed)

    def _give_up(self, lost: Lost, attempt: int) -> None:
        """Tell those who never had a connection, and all where another try makes no sense, after some tries."""
        if attempt < limits.CLIENT_TRIES:
            return
        for feed in list(self._waiting):
            if lost.is_bounded or (feed.opened is not None and not feed.opened.done()):
                del self._waiting[feed]
                self._feeds.discard(feed)
                feed.fail(lost.error)

    def _begin(self, doing: Any) -> asyncio.Task[None]:
        task = self.loop.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """End all."""
        self._is_closed = True
        for feed in list(self._feeds):
            self.leave(feed)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*list(self._tasks), return_exceptions=True)
        if self._spare is not None:
            self._spare.release()


def _connecting() -> Any:
    """What opens WebSockets; it follows nobody elsewhere, since a token would go there."""
    try:
        from websockets.asyncio.client import connect
    except ImportError:
        raise errors.MissingExtra("client", "websockets") from None

    class Connect(connect):
        def process_redirect(self, exc: Exception) -> Exception | str:
            return exc

        def process_exception(self, exc: Exception) -> Exception | None:
            return exc

    return Connect
