"""Connections of HTTP: uvicorn's, with deadlines for what arrives slowly and bounds for how many there are.

Covers:     heads that are too large or too slow, too many connections, giving connections over to WebSockets.
Not here:   requests (`serving.app`), WebSockets (`serving.connection`).
Holds:      about 8 KiB for each connection, at most `SERVE_HTTP_MAX`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast, final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

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


class _TooLarge(Exception):  # noqa: N818 - said to the client
    """The head of a request."""


@final
class HttpConnection(HttpToolsProtocol):
    """A connection. A request's head has to arrive in `SERVE_HEAD_S`, and is bounded.

    Where there are too many, the one goes that has kept its head back for longest: who sends nothing keeps nobody out.
    """

    def __init__(self, config: Config, state: ServerState, service: Service) -> None:
        super().__init__(config, state, {})
        self._service = service
        self._head_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._is_counted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody came."""
        super().connection_made(cast("asyncio.Transport", transport))
        service = self._service
        if not service.admission.come():
            oldest = next(iter(service.arriving), None)
            if oldest is not None:
                oldest.leave()
                oldest.transport.abort()
            if oldest is None or not service.admission.come():
                self.transport.write(_BUSY)
                self.transport.close()
                return
        self._is_counted = True
        self._await_head()

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._service.arriving[self] = None
        self._deadline = self.loop.call_later(limits.SERVE_HEAD_S, self._late)

    def _has_head(self) -> None:
        self._service.arriving.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        self.leave()
        self.transport.abort()

    def leave(self) -> None:
        """It is no connection of HTTP any more."""
        self._has_head()
        if self._is_counted:
            self._is_counted = False
            self._service.admission.go()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self.leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        if self.parser is None or self.transport.is_closing():
            return
        super().data_received(data)
        if self in self._service.arriving:
            self._head_bytes += len(data)
            if self._head_bytes > limits.SERVE_HEAD_BYTES:
                self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """Another request."""
        if self not in self._service.arriving:
            self._await_head()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > limits.SERVE_HEAD_BYTES:
            raise _TooLarge
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """All of them."""
        self._has_head()
        super().on_headers_complete()

    def _should_upgrade(self) -> bool:
        """Whether a WebSocket is asked for: HTTP/1.0 has none (RFC 6455, 4.2.1)."""
        return super()._should_upgrade() and self.parser.get_http_version() != "1.0"

    def handle_websocket_upgrade(self) -> None:
        """Give the connection over: nothing of this one stays."""
        self.leave()
        super().handle_websocket_upgrade()
        for name in ("parser", "transport", "flow", "scope", "cycle"):
            setattr(self, name, None)  # they hold each other

    def shutdown(self) -> None:
        """End behind the request at work."""
        if self.transport is not None:
            super().shutdown()
