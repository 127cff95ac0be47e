"""Connections of HTTP: uvicorn's, with deadlines for what arrives or leaves slowly and bounds for how many there are.

Covers:     heads that are too large or too slow, bodies nobody reads, clients who do not read, too many connections or
            requests, giving connections over to WebSockets.
Not here:   requests (`serving.app`), WebSockets (`serving.connection`).
Holds:      about 20 KiB for each connection, at most `SERVE_HTTP_MAX`; heads that arrive, at most `SERVE_HEADS_BYTES` of all.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast, final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from flatwater import limits

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

    from flatwater.live.serving.service import Service

_FULL = b'{"error":{"code":"budget_exceeded","message":"the server is full.","hint":"Try again in a while."}}'
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 5\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(_FULL), _FULL)
)
_HEADER_BYTES = 150  # of a header beside its text
_WITH_TURNS = b"/v1/sql"  # whose body is read by who has a token and a turn
_SLACK = 4_096  # bytes of a head that has not arrived in whole, below which they are part of `SERVE_HTTP_BYTES`


class _TooMuch(Exception):  # noqa: N818 - said to the client
    """Of a head, or of requests at once."""


@final
class HttpConnection(HttpToolsProtocol):
    """A connection. A request's head has to arrive in `SERVE_HEAD_S`, and is bounded; so are requests that are sent at once.

    While nothing of its is at work it may be ended: where there are too many, the one goes that has kept its request back for
    longest. Who sends nothing keeps nobody out.
    """

    def __init__(self, config: Config, state: ServerState, service: Service) -> None:
        super().__init__(config, state, {})
        self._service = service
        self._is_counted = False
        self._head_bytes = self._body_bytes = 0  # of the head that arrives; of bodies in what came last
        self._headers_count = 0
        self._counted = 0  # bytes of the head, as they were admitted
        self._is_in_head, self._is_whole = True, False
        self._at_work: RequestResponseCycle | None = None
        self._arriving: asyncio.TimerHandle | None = None  # until the request has to have come
        self._leaving: asyncio.TimerHandle | None = None  # until what was written has to have been taken

    # --- coming and going ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody came."""
        super().connection_made(cast("asyncio.Transport", transport))
        service = self._service
        if not service.admission.come():
            oldest = next(iter(service.arriving or service.idle), None)
            if oldest is not None:
                oldest.leave()
                oldest.end()
            if oldest is None or not service.admission.come():
                self.transport.write(_BUSY)
                self.transport.close()
                return
        self._is_counted = True
        self._await(limits.SERVE_HEAD_S)

    def end(self) -> None:
        """Now, whatever is at work or has not been taken."""
        self._forget_work()
        if self.transport is not None:
            self.transport.abort()

    def leave(self) -> None:
        """It is no connection of HTTP any more."""
        self._has_come()
        self._has_left()
        if self._is_counted:
            self._is_counted = False
            self._service.admission.go()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self.leave()
        self._forget_work()
        super().connection_lost(exc)

    def _forget_work(self) -> None:
        """Nobody waits for what is at work, and nothing is begun any more."""
        self.pipeline.clear()
        for cycle in (self._at_work, self.cycle):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        if self.flow is not None:
            self.flow.resume_writing()

    def shutdown(self) -> None:
        """End behind the request at work."""
        if self.transport is not None:
            super().shutdown()

    # --- deadlines ----------------------------------------------------------------------------------------------------

    def _await(self, seconds: float, *, is_idle: bool = False) -> None:
        """A request, or the rest of one, has to come; until then the connection may be ended for another one."""
        self._has_come()
        (self._service.idle if is_idle else self._service.arriving)[self] = None
        self._arriving = self.loop.call_later(seconds, self._late)

    def _has_come(self) -> None:
        self._service.arriving.pop(self, None)
        self._service.idle.pop(self, None)
        self._count(0)
        if self._arriving is not None:
            self._arriving.cancel()
            self._arriving = None

    def _late(self) -> None:
        self._arriving = None
        self.leave()
        self.end()

    def pause_writing(self) -> None:
        """The client does not take what it is sent."""
        super().pause_writing()
        self._close_soon()

    def resume_writing(self) -> None:
        """It does."""
        if not self.transport.is_closing():
            self._has_left()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Uvicorn's deadline of an idle connection: ours is the same, and ends one that does not take its response, too."""

    def _close_soon(self) -> None:
        """It closes when what was written is taken, or in a while."""
        if self._leaving is None and self._is_counted:
            self._leaving = self.loop.call_later(limits.SERVE_SEND_S, self.end)

    def _has_left(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    # --- requests -----------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        if self.parser is None or self.transport.is_closing():
            return
        self._body_bytes = 0
        super().data_received(data)
        if self._is_in_head and self in self._service.arriving:
            self._head_bytes += len(data) - self._body_bytes
            held = self._head_bytes + self._headers_count * _HEADER_BYTES
            if self._head_bytes > limits.SERVE_HEAD_BYTES:
                self.send_400_response("The head of the request is too large.")
            elif not self._count(held if held > _SLACK else 0):
                self.leave()
                self.end()

    def _count(self, held: int) -> bool:
        """Have the bytes of a head admitted; False if there are too many of all."""
        if held != self._counted:
            if not self._service.admission.head(held - self._counted):
                return False
            self._counted = held
        return True

    def send_400_response(self, msg: str) -> None:
        """Say that it is no request, unless that would be in the middle of a response; nothing of its is done any more."""
        begun = self._at_work is not None and self._at_work.response_started and not self._at_work.response_complete
        self._has_come()
        if begun:
            self.end()
            return
        self._forget_work()
        super().send_400_response(msg)
        self._close_soon()

    def on_message_begin(self) -> None:
        """Another request."""
        if len(self.pipeline) >= limits.SERVE_PIPELINED_MAX:
            raise _TooMuch
        if not self._is_in_head:
            self._await(limits.SERVE_HEAD_S)
        self._head_bytes = self._headers_count = 0
        self._is_in_head, self._is_whole = True, False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; one behind the body is not kept."""
        self._headers_count += 1
        if self._headers_count > limits.SERVE_HEADERS_MAX or len(name) + len(value) > limits.SERVE_HEAD_BYTES:
            raise _TooMuch
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """All of them."""
        self._is_in_head = False
        if self.url.startswith(_WITH_TURNS):
            self._has_come()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of the request, also of one that was answered before."""
        super().on_message_complete()
        self._is_whole = True
        self._has_come()
        self._go_idle()

    def on_response_complete(self) -> None:
        """All of a response."""
        super().on_response_complete()
        if self.transport is not None and self.transport.is_closing():
            self._close_soon()
        else:
            self._go_idle()

    def _go_idle(self) -> None:
        """Wait for the next request, or for the rest of one that was answered, where nothing is at work."""
        if self._at_work is not None and self._at_work.response_complete and not self._is_in_head:
            self._await(limits.SERVE_IDLE_S if self._is_whole else limits.SERVE_HEAD_S, is_idle=self._is_whole)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._at_work = cycle
        super()._start_asgi_task(cycle, app)

    def _should_upgrade(self) -> bool:
        """Whether a WebSocket is asked for: HTTP/1.0 has none (RFC 6455, 4.2.1)."""
        return super()._should_upgrade() and self.parser.get_http_version() != "1.0"

    def handle_websocket_upgrade(self) -> None:
        """Give the connection over: nothing of this one stays."""
        if self._at_work is not None and not self._at_work.response_complete:
            self.send_400_response("A request is at work.")
            return
        self.leave()
        super().handle_websocket_upgrade()
        for name in ("parser", "transport", "flow", "scope", "cycle", "_at_work"):
            setattr(self, name, None)  # they hold each other
