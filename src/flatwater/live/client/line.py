"""One WebSocket, and the live queries that are on it.

Covers:     connecting, the token and its renewal, messages of the server, silence, why a connection ends.
Not here:   which queries are on which connection, coming back (`client.hub`).
Holds:      a message twice, as it arrives and put together, and `CLIENT_SOCKET_BYTES`.

Snapshots come one after another, so that one that is long, and not read, can be set apart: see `client.hub`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, final

import msgspec

from flatwater import errors, limits
from flatwater.live.access import AccessDenied
from flatwater.live.client import certificates
from flatwater.live.client.asking import Told, encoded, error_of, no_sense, refusal
from flatwater.live.client.feed import EMPTY, Feed
from flatwater.live.refusals import FORBIDDEN, NO_MESSAGE, TOO_MANY, UNAUTHENTICATED, Unauthenticated

if TYPE_CHECKING:
    from flatwater.live.client.hub import Hub

logger = logging.getLogger("flatwater.live")

_NOT_THERE = frozenset(
    {429, 500, 502, 503, 504}
)  # statuses of a server, or of what stands before it, that may be there later
_OPS = frozenset({"snapshot", "insert", "update", "delete", "reset", "ready"})
_LATER = frozenset({"budget_exceeded", "limit_reached", "broken"})


class Said(msgspec.Struct):
    """A message of a server; which fields it has depends on its type."""

    type: str = ""
    channel: int | None = None
    op: str = ""
    seq: int = 0
    id: int | None = None
    rows: msgspec.Raw = EMPTY
    row: msgspec.Raw = EMPTY
    old: msgspec.Raw = EMPTY
    columns: list[str] = []
    error: Told | None = None
    expires_s: float = 3600.0


_decode = msgspec.json.Decoder(Said).decode


class Lost(Exception):  # noqa: N818 - it is no error: the next connection follows
    """A connection is gone; another one may be had.

    Attributes:
        error: for who does not wait for it.
        stale: the token that was refused.
        is_bounded: it is raised when it comes again and again.
    """

    def __init__(self, error: Exception, *, stale: str = "", is_bounded: bool = False) -> None:
        super().__init__(str(error))
        self.error, self.stale, self.is_bounded = error, stale, is_bounded


@final
class Line:
    """A connection of live queries. For its loop alone.

    Attributes:
        feeds: that were asked for, by the number that they have here.
        alone: the one that has it for itself: what it does not read is not read from the socket.
        is_of_use: something came on it.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._socket: Any = None
        self._token = ""
        self._last = 0
        # flatwater: allow FW401 — one or two for each live query, which are bounded
        self._says: asyncio.Queue[bytes] = asyncio.Queue()  # bounded by what is asked for: one or two a live query
        self._channels: dict[int, Feed] = {}
        self._snapshots: set[Feed] = set()  # that are under way
        self._pending: deque[Feed] = deque()  # snapshots that follow
        self._heard = self._renew_at = 0.0
        self._is_paused = False
        self.feeds: dict[int, Feed] = {}
        self.alone: Feed | None = None
        self.is_of_use = False  # something came

    # --- what is on it ------------------------------------------------------------------------------------------------

    def add(self, feed: Feed) -> None:
        """One more live query; a snapshot waits for those before it."""
        feed.line, feed.is_ready = self, False
        if feed.since is None and self._snapshots:
            self._pending.append(feed)
            return
        if feed.since is None:
            self._snapshots.add(feed)
        self._last += 1
        self.feeds[self._last] = feed
        self._says.put_nowait(feed.message(self._last))

    def remove(self, feed: Feed) -> None:
        """One less; what comes for it from here on is passed over."""
        number = next((number for number, known in self.feeds.items() if known is feed), None)
        if number is not None:
            self._says.put_nowait(encoded({"type": "unsubscribe", "id": number}))
            self._forget(number)
        else:
            with contextlib.suppress(ValueError):
                self._pending.remove(feed)
        feed.line = feed.channel = None

    def _forget(self, number: int) -> None:
        feed = self.feeds.pop(number)
        if feed.channel is not None:
            self._channels.pop(feed.channel, None)
        self._done(feed)

    def _done(self, feed: Feed) -> None:
        """Its snapshot is over, or is not to come: the next one follows."""
        self._snapshots.discard(feed)
        while self._pending and not self._snapshots and self.alone is None:
            self.add(self._pending.popleft())

    def others(self, feed: Feed) -> list[Feed]:
        """All that are on it but one."""
        return [each for each in (*self.feeds.values(), *self._pending) if each is not feed]

    def ended(self) -> list[Feed]:
        """All that were on it, which is no more."""
        feeds = [*self.feeds.values(), *self._pending]
        self.feeds.clear()
        self._pending.clear()
        self._channels.clear()
        self._snapshots.clear()
        return feeds

    # --- connecting ---------------------------------------------------------------------------------------------------

    async def connect(self, stale: str) -> None:
        """Open it, and say who it is.

        Raises:
            Lost: not now.
            FlatwaterError: never.
        """
        hub = self._hub
        try:
            self._token = await hub.token(stale)
        except errors.FlatwaterError as error:
            if isinstance(error, errors.BrokenError | errors.LimitReached | errors.BudgetExceeded):
                raise Lost(error) from error
            raise
        try:
            async with asyncio.timeout(min(hub.settings.timeout_s, limits.CLIENT_CONNECT_S)):
                self._socket = await hub.opening()
                await self._socket.send(encoded({"type": "authenticate", "token": self._token}).decode())
                self._take(await self._socket.recv(decode=False))
        except BaseException as error:
            await self.close()
            why = self._why(error)
            if why is error:
                raise
            raise why from error

    def _why(self, error: BaseException) -> BaseException:
        """What the end of a connection means: `Lost`, or what to raise."""
        from websockets import exceptions

        if isinstance(error, exceptions.ConnectionClosed):
            return self._closed(error)
        if isinstance(error, exceptions.InvalidStatus):
            status = error.response.status_code
            told = refusal(status, bytes(error.response.body or b"")[: limits.CLIENT_TOKEN_BYTES])
            return Lost(told) if status in _NOT_THERE else told
        if (refused_tls := certificates.refused(error)) is not None:
            return refused_tls
        if isinstance(error, OSError | TimeoutError | EOFError):
            return Lost(errors.BrokenError("the server cannot be reached.", hint=f"{error!s:.100}"))
        if isinstance(error, exceptions.InvalidHandshake):
            return Lost(no_sense("handshake is none"), is_bounded=True)
        return error

    def _closed(self, error: Any) -> BaseException:
        """What a closing code means."""
        ours = error.sent.code if error.sent is not None and not error.rcvd_then_sent else None
        if ours == 1009:  # noqa: PLR2004 - Message Too Big
            most = self._hub.settings.message_bytes
            return errors.LimitReached(
                f"a message of a live query has more than {most:,} bytes.", what="row_bytes",
                limit=self._hub.settings.row_bytes, hint="Give the client a larger row_bytes.",
            )  # fmt: skip
        if ours in {1002, 1007}:
            return no_sense("frames are none")
        code = error.rcvd.code if error.rcvd is not None else None
        reason = f"{error.rcvd.reason:.200}" if error.rcvd is not None else ""
        if code == UNAUTHENTICATED:
            refused = Unauthenticated(reason or "the token does not hold.", hint="Log in again.")
            return Lost(refused, stale=self._token) if self._hub.keys.can_renew else refused
        if code == FORBIDDEN:
            return AccessDenied(reason or "the server refuses this client.")
        if code == TOO_MANY:
            limit = errors.LimitReached(reason or "the user has too many connections.", hint="Close others.")
            return Lost(limit, is_bounded=True)
        if code in {NO_MESSAGE, 1002, 1003, 1007, 1009}:
            return errors.UsageError(f"the server refuses what this client says: {reason or code}.")
        return Lost(errors.BrokenError(f"the connection broke: {reason or code or 'without a word'}."))

    async def close(self) -> None:
        """End it."""
        if self._socket is not None:
            with contextlib.suppress(Exception):
                await self._socket.close()

    # --- messages -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Say what is to be said and take what comes, until it ends.

        Raises:
            Lost: it is gone.
            FlatwaterError: and does not come back.
        """
        self._heard = asyncio.get_running_loop().time()
        beside = [asyncio.create_task(self._say()), asyncio.create_task(self._tend())]
        try:
            while True:
                self._take(await self._socket.recv(decode=False))
                if self.alone is not None:
                    if not self.feeds:  # it went on with all others, or has ended
                        return
                    await self._wait_for_room(self.alone)
        except Exception as error:
            why = self._why(error)
            if why is error:
                raise
            raise why from error
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self.close()

    async def _wait_for_room(self, feed: Feed) -> None:
        """Leave in the socket what follows, until what came before was read."""
        self._is_paused = True
        while feed.mailbox.is_full and not feed.is_ended:
            feed.room.clear()
            if feed.mailbox.is_full:
                await feed.room.wait()
        self._is_paused = False
        self._heard = asyncio.get_running_loop().time()

    async def _say(self) -> None:
        while True:
            message = await self._says.get()
            with contextlib.suppress(Exception):  # who reads is told that it ended
                await self._socket.send(message.decode())

    async def _tend(self) -> None:
        """Renew the token, and look whether the server is still there."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(max(0.05, min(limits.CLIENT_SILENCE_S, self._renew_at - loop.time())))
            if loop.time() >= self._renew_at:
                await self._renew()
            try:
                async with asyncio.timeout(limits.CLIENT_SILENCE_S):
                    if self._is_paused:  # its pongs are not read: a sign of life of ours is enough
                        await self._socket.pong()
                        continue
                    if loop.time() - self._heard > 2 * limits.CLIENT_SILENCE_S:
                        self._socket.transport.abort()
                        return
                    answered = await self._socket.ping()
                    answered.add_done_callback(self._is_there)
            except Exception:  # noqa: BLE001 - who reads is told that it ended
                self._socket.transport.abort()
                return

    def _is_there(self, answered: asyncio.Future[float]) -> None:
        if not answered.cancelled() and answered.exception() is None:
            self._heard = asyncio.get_running_loop().time()

    async def _renew(self) -> None:
        self._renew_at = asyncio.get_running_loop().time() + limits.CLIENT_SILENCE_S  # if it does not succeed
        if not self._hub.keys.can_renew:
            return
        try:
            token = await self._hub.token("")
            if token == self._token:
                token = await self._hub.token(token)
        except Exception:
            logger.warning("a token of live queries could not be renewed", exc_info=True)
            return
        self._token = token
        self._says.put_nowait(encoded({"type": "authenticate", "token": token}))

    def _take(self, data: bytes) -> None:
        """A message of the server."""
        try:
            said = _decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise no_sense("messages are not understood") from error
        self._heard = asyncio.get_running_loop().time()
        if said.channel is not None and not said.type:
            feed = self._channels.get(said.channel)
            if feed is not None and said.op in _OPS:
                self._event(feed, said, len(data))
            return
        if said.type == "level":
            for feed in list(self.feeds.values()):
                feed.came("level", said.seq, EMPTY, EMPTY, 0)
        elif said.type == "authenticated":
            self._renew_at = self._heard + max(1.0, said.expires_s * limits.CLIENT_RENEW_SHARE)
        elif said.id is not None and said.id in self.feeds:
            self._answer(self.feeds[said.id], said)
        elif said.type == "error":
            logger.warning("a server refused a message: %s", said.error.message if said.error else "")

    def _answer(self, feed: Feed, said: Said) -> None:
        assert said.id is not None
        if said.type == "subscribed":
            if said.channel is None:
                raise no_sense("answer names no channel")
            feed.channel = said.channel
            self._channels[said.channel] = feed
            if feed.opened is not None and not feed.opened.done():
                feed.opened.set_result(tuple(said.columns))
        elif said.type in {"error", "ended"}:
            self._forget(said.id)
            feed.line = feed.channel = None
            told = said.error or Told()
            self._hub.refused(feed, error_of(told), may_go_on=said.type == "error" and told.code in _LATER)

    def _event(self, feed: Feed, said: Said, size: int) -> None:
        try:
            is_full = feed.came(said.op, said.seq, said.rows if said.op == "snapshot" else said.row, said.old, size)
        except errors.BudgetExceeded as error:
            self.remove(feed)
            self._hub.refused(feed, error)
            return
        self.is_of_use = True
        if said.op == "reset":
            self._snapshots.add(feed)
        elif said.op == "ready":
            self._done(feed)
            if feed is self.alone:
                self._hub.rejoin(self, feed)
                return
        if is_full and feed is not self.alone:
            if feed.since is None and self._snapshots == {feed}:
                self._hub.set_apart(self, feed)
            else:
                self._hub.park(self, feed)
