"""One client of live queries: a WebSocket that keeps next to nothing while nothing happens.

Covers:     messages of the client, limits, silence, tokens that end, closing.
Not here:   the handshake (`serving.upgrades`), frames (`serving.frames`), giving changes (`serving.fanout`), what all share (`serving.service`).
Holds:      `limits.SERVE_CONNECTION_BYTES` when idle; see `serving.admission`.

Reading begins where the message before was done with: who sends faster than he is served is not read.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, cast, final

from websockets.frames import Opcode

from flatwater import errors, limits
from flatwater.live import refusals
from flatwater.live.serving import messages
from flatwater.live.serving.admission import Refusal
from flatwater.live.serving.feed import Feed
from flatwater.live.serving.frames import Incoming, Refused, close_frame, ping_frame, pong_frame, text_frame
from flatwater.live.serving.upgrades import upgraded

if TYPE_CHECKING:
    from flatwater.live.serving.service import Service
    from flatwater.live.subscriber import Subscription

logger = logging.getLogger("flatwater.live")

_PING, _PONG = ping_frame(), text_frame(b'{"type":"pong"}')
_SLACK = 4_096  # bytes of a message that has not arrived in whole, below which it is not counted


@final
class Connection(asyncio.Protocol):
    """A client. For the loop alone.

    Args:
        service: what all connections share.
    """

    __slots__ = (
        "_counted", "_incoming", "_is_admitted", "_is_busy", "_is_closing", "_is_failed", "_is_pinged", "_left", "_reading", "_service",
        "_since", "_transport", "behind", "expires", "feeds", "heard", "is_due", "is_paused", "stamp", "user",
    )  # fmt: skip

    def __init__(self, service: Service) -> None:
        self._service = service
        self._transport: asyncio.Transport | None = None
        self._incoming: Incoming | None = None
        self._is_admitted = self._is_busy = self._is_closing = self._is_failed = self._is_pinged = False
        self._counted = 0  # bytes of a message that arrives, as they were admitted
        self._left: float | None = None  # messages that may come at once, and since when that is so
        self._reading: asyncio.Event | None = None  # set when the client reads on
        self._since = self.heard = service.now
        self.expires = 0.0  # of the token
        self.user: str | None = None
        self.stamp = 0  # of the user, when he came: another one ends his tokens
        self.feeds: dict[int | str, Feed] | None = None
        self.behind: dict[Feed, None] | None = None  # those that have to read the log
        self.is_due = self.is_paused = False

    # --- of the transport ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The port was asked for a WebSocket."""
        self._transport = cast("asyncio.Transport", transport)
        self._service.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        """It is gone: all that it had is given back."""
        service = self._service
        service.connections.discard(self)
        self._is_closing = True
        self._transport = None
        self._receive(0)
        self._incoming = None
        feeds, self.feeds, self.behind = self.feeds, None, None
        if feeds:
            service.drop(list(feeds.values()))
        if self._reading is not None:
            self._reading.set()
        if self.is_paused:
            self.is_paused = False
            service.admission.pause(-1)
        if self.user is not None:
            service.admission.leave(self.user)
        if self._is_admitted:
            service.admission.disconnect()

    def data_received(self, data: bytes) -> None:
        """Bytes came: the request of the handshake first, in one piece, then frames."""
        if self._is_failed or (self._is_closing and not self._is_admitted):
            return
        if not self._is_admitted:
            self._shake_hands(data)
            return
        self.heard = self._service.now
        self._is_pinged = False
        if self._incoming is None:
            self._incoming = Incoming(limits.SERVE_AUTH_BYTES if self.user is None else limits.SERVE_MESSAGE_BYTES)
        self._incoming.feed(data)
        self._go_on()

    def eof_received(self) -> bool:
        """The client has ended its side: so do we."""
        return False

    def pause_writing(self) -> None:
        """It does not take what it is sent: from here on that waits in the log."""
        self.is_paused = True
        try:
            self._service.admission.pause(1)
        except errors.FlatwaterError:
            self._service.admission.paused += 1  # given back when it is lost, at once
            self.abort()

    def resume_writing(self) -> None:
        """It does again."""
        if self.is_paused:
            self.is_paused = self._is_pinged = False
            self.heard = self._service.now  # it reads, however slowly: it is there
            if self._reading is not None:
                self._reading.set()
            self._service.admission.pause(-1)
            self._service.fanout.due(self)

    # --- handshake ----------------------------------------------------------------------------------------------------

    def _shake_hands(self, head: bytes) -> None:
        transport = self._transport
        assert transport is not None
        upgrade = upgraded(self._service, head)
        self._is_admitted = upgrade.is_admitted
        transport.write(upgrade.answer)
        if not upgrade.is_taken:
            self._is_closing = True
            transport.close()
            return
        transport.set_write_buffer_limits(limits.SERVE_OUTBOX_BYTES, limits.SERVE_OUTBOX_BYTES // 4)
        self._service.bound(transport)
        if upgrade.token:
            self._authenticate(upgrade.token)

    # --- messages -----------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Do what was said, one after another, until one takes its time."""
        while self._incoming is not None and not self._is_busy:
            try:
                message = self._incoming.next()
            except Refused as error:
                self._fail(error.code, error.reason)
                return
            if message is None:
                if self._incoming.is_empty:
                    self._drop()
                else:
                    self._count()
                return
            if message.opcode is Opcode.CLOSE:
                self._end(message.data)
                return
            if message.opcode is Opcode.PING:
                if not self.is_paused and not self._is_closing:
                    self.write(pong_frame(message.data))
            elif message.opcode is Opcode.TEXT and not self._is_closing:
                self._take_text(message.data)
        if self._is_busy:
            self._count()

    def _drop(self) -> None:
        self._incoming = None
        self._receive(0)

    def _count(self) -> None:
        """Have the bytes of a message admitted that has not arrived in whole."""
        held = self._incoming.held if self._incoming is not None else 0
        try:
            self._receive(held if held > _SLACK else 0)
        except errors.FlatwaterError as error:
            self._fail(messages.LATER, str(error.args[0]))

    def _receive(self, held: int) -> None:
        if held != self._counted:
            self._service.admission.receive(held - self._counted)
            self._counted = held

    def _take_text(self, data: bytes) -> None:
        try:
            message = messages.said(data)
        except errors.UsageError as error:
            self.close(refusals.NO_MESSAGE, str(error.args[0]))
            return
        if isinstance(message, messages.Authenticate):
            self._authenticate(message.token)
        elif self.user is None:
            self.close(refusals.UNAUTHENTICATED, "the first message is to be authenticate")
        elif self._service.stamp_of(self.user) != self.stamp:
            self.is_out()
        elif isinstance(message, messages.Ping):
            self.write(_PONG)
        elif isinstance(message, messages.Unsubscribe):
            self._unsubscribe(message.id)
        else:
            self._begin(self._subscribe(message), self._late())
            return
        if not self._is_closing:
            late = self._late()
            if late > 0 or self.is_paused:
                self._begin(None, late)

    def _begin(self, doing: Any, late: float) -> None:
        """Do something that takes its time, and wait; no message is read meanwhile."""
        self._is_busy = True
        if self._transport is not None:
            self._transport.pause_reading()
        self._service.begin(self._finish(doing, late))

    async def _finish(self, doing: Any, late: float) -> None:
        try:
            if doing is not None:
                await doing
            if late > 0:
                await asyncio.sleep(late)
            if self.is_paused:  # who asks on without reading the answers is not read either
                self._reading = asyncio.Event()
                await self._reading.wait()
                self._reading = None
        finally:
            self._is_busy = False
            if self._transport is not None:
                self._transport.resume_reading()
                self._go_on()

    def _late(self) -> float:
        """Seconds that the next message has to wait, since a user has so many a second."""
        rate = self._service.messages_of(self.user)
        now = self._service.loop.time()
        full = rate * limits.SERVE_BURST_S
        # `_left` is the moment at which the bucket would be full: one number for both of its values
        until = max(self._left or 0.0, now) + 1 / rate
        self._left = until
        return until - now - full / rate

    def _authenticate(self, token: str) -> None:
        service = self._service
        try:
            claims = service.tokens.check(token)
            if self.user is not None and claims.user != self.user:
                raise errors.UsageError(f"the connection is {self.user!r}'s.", hint="Open another one.")
            actor = service.actor(claims.user)
            if self.user is None:
                service.admission.enter(actor.name, actor.limits.connections)
                self.user = actor.name
                if self._incoming is not None:
                    self._incoming.most = limits.SERVE_MESSAGE_BYTES
        except Refusal as error:
            self.close(refusals.TOO_MANY, str(error.args[0]))
            return
        except errors.FlatwaterError as error:
            service.audit.write("refused", "", self.address, what="live", why=str(error.args[0]))
            self.close(refusals.UNAUTHENTICATED, str(error.args[0]))
            return
        self.expires, self.stamp = claims.expires, claims.stamp
        left = max(0, int(claims.expires - service.clock()))
        self.say({"type": "authenticated", "user": actor.name, "role": actor.role, "expires_s": left})

    @property
    def address(self) -> str:
        """Of the client."""
        peer = self._transport.get_extra_info("peername") if self._transport is not None else None
        return peer[0] if peer else ""

    async def _subscribe(self, message: messages.Subscribe) -> None:
        service = self._service
        feeds = self.feeds or {}
        assert self.user is not None
        reader: Subscription | None = None
        try:
            if message.id in feeds:
                raise errors.UsageError(f"the id {message.id!r:.80} is in use.", hint="Unsubscribe first.")  # noqa: TRY301
            if len(feeds) >= limits.SERVE_SUBSCRIPTIONS_MAX:
                raise Refusal(f"the connection has {len(feeds)} live queries.", hint="Open another connection.")  # noqa: TRY301
            service.admission.follow(1)
            try:
                reader = await service.subscribe(message, self.user)
            except BaseException:
                service.admission.follow(-1)
                raise
        except Exception as error:  # noqa: BLE001 - the client is told, whatever it is
            self.refuse(message.id, error)
            return
        if self._transport is None or self._is_closing:
            service.admission.follow(-1)
            service.close_readers([reader])
            return
        self._follow(message.id, reader)

    def _follow(self, name: int | str, reader: Subscription) -> None:
        service = self._service
        if self.feeds is None:
            self.feeds = {}
        mine = {feed.channel.number for feed in self.feeds.values()}
        channel = service.channels.take(service.group_of(reader), reader.names, mine)
        feed = self.feeds[name] = Feed(self, name, reader, channel)
        self.write(channel.subscribed(name, service.columns_of(reader)))
        service.fanout.add(feed)

    def _unsubscribe(self, name: int | str) -> None:
        feed = self.feeds.pop(name, None) if self.feeds else None
        if feed is None:
            error = errors.UsageError(f"there is no live query {name!r:.80}.", hint="It may have ended.")
            self.refuse(name, error)
            return
        self._forget(feed)
        self.say({"type": "unsubscribed", "id": name})

    def ended(self, feed: Feed, error: BaseException) -> None:
        """A query ended by itself."""
        if self.feeds is None or self.feeds.get(feed.name) is not feed:
            return
        del self.feeds[feed.name]
        self._forget(feed)
        if not isinstance(error, errors.FlatwaterError):
            logger.error("a live query ended", exc_info=error)
        self.say({"type": "ended", "id": feed.name, "error": messages.told(error)[1]})

    def _forget(self, feed: Feed) -> None:
        if self.behind:
            self.behind.pop(feed, None)
        self._service.drop([feed])

    # --- writing ------------------------------------------------------------------------------------------------------

    def write(self, frame: bytes) -> None:
        """A frame; what is written in one turn of the loop leaves together."""
        if self._transport is not None and not self._is_closing:
            self._transport.write(frame)

    def say(self, message: dict[str, Any]) -> None:
        """A message of its own."""
        self.write(text_frame(messages.encode(message)))

    def refuse(self, name: int | str | None, error: BaseException) -> None:
        """Say why something is not done."""
        if not isinstance(error, errors.FlatwaterError):
            logger.error("a message failed", exc_info=error)
        self.say({"type": "error", "id": name, "error": messages.told(error)[1]})

    def behind_of(self) -> dict[Feed, None]:
        """Its queries that have to read the log."""
        if self.behind is None:
            self.behind = {}
        return self.behind

    # --- ending -------------------------------------------------------------------------------------------------------

    def close(self, code: int, reason: str = "") -> None:
        """Close, and wait a little for the client to agree."""
        if self._is_closing or self._transport is None:
            return
        self.write(close_frame(code, reason))
        self._is_closing = True
        self._since = self._service.now
        feeds, self.feeds, self.behind = self.feeds, None, None
        if feeds:
            self._service.drop(list(feeds.values()))

    def _fail(self, code: int, reason: str) -> None:
        """Close where it is no longer known where a frame begins: nothing is read any more, and no answer awaited (RFC 6455, 7.1.7)."""
        self._drop()
        self.close(code, reason)
        self._is_failed = True
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.can_write_eof():
            self._transport.write_eof()  # closed with bytes unread, the frame might not arrive
        else:
            self._transport.close()  # TLS has an end of its own, and waits for the client's

    def _end(self, code: bytes) -> None:
        """The client closes: it is answered with its own code."""
        self._drop()
        if not self._is_closing:
            number = int.from_bytes(code, "big") if code else messages.NORMAL
            self.write(close_frame(number))
            self._is_closing = True
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End it now."""
        if self._transport is not None:
            self._transport.abort()

    def look(self, now: float, wall: float) -> None:
        """Do what is due: once a second or so.

        Args:
            now: seconds of a clock that only goes on.
            wall: seconds since 1970.
        """
        if self._is_closing:
            if now - self._since > limits.SERVE_CLOSE_S:
                self.abort()
        elif self.user is None:
            if now - self._since > limits.SERVE_AUTH_S:
                self.close(refusals.UNAUTHENTICATED, "no token came in time")
        elif wall >= self.expires:
            self.close(refusals.UNAUTHENTICATED, "the token has ended")
        elif now - self.heard > limits.SERVE_SILENCE_S:
            self._poke(now)

    def is_out(self) -> None:
        """The user was dropped, or has another password: what he was let in with holds no more."""
        self.close(refusals.UNAUTHENTICATED, "the token does not hold any more")

    def _poke(self, now: float) -> None:
        """It was silent for long: ask once, then end."""
        if now - self.heard > 2 * limits.SERVE_SILENCE_S:
            self.abort()
        elif not self._is_pinged:
            self._is_pinged = True
            self.write(_PING)  # to who reads slowly, too: one at a time

    def level(self, frame: bytes) -> None:
        """Say up to where everything was given, if it was."""
        if self.feeds and not self._is_closing and self._service.fanout.is_level(self):
            self.write(frame)
