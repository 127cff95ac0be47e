"""Connections that begin TLS: counted before a byte is read, and no more of them at once than their memory is promised for.

Covers:     accepting, who waits for its turn, who takes too long.
Not here:   what is said behind the handshake (`serving.http`, `serving.connection`).
Holds:      `limits.SERVE_TLS_BYTES` for each handshake, `SERVE_HANDSHAKES_MAX` at once; a socket for who waits.

A server of asyncio makes the state of TLS for whoever connects, as soon as he does, and keeps it for as long as the handshake may take. Ten thousand
clients that send the half of a first message take 570 MB so.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, final

from flatwater import limits

if TYPE_CHECKING:
    from flatwater.live.serving.service import Service

logger = logging.getLogger("flatwater.live")

_FULL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


@final
class Handshakes:
    """Of one server. For its loop alone.

    Args:
        service: what all connections share.
        context: of TLS.
        made: gives what a connection is handed to when it has TLS.
    """

    def __init__(self, service: Service, context: ssl.SSLContext, made: Callable[[], asyncio.Protocol]) -> None:
        self.service, self.context, self.made = service, context, made
        self.waiting: dict[Arrival, None] = {}
        self.at_work: dict[Arrival, float] = {}  # since when, the longest first
        self._again: asyncio.TimerHandle | None = None

    async def accept(self, listening: socket.socket) -> None:
        """Take whoever comes, until it is cancelled; all that has no TLS then is ended. The socket listens already, and does not block."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    came, _ = await loop.sock_accept(listening)
                except OSError as error:
                    if error.errno in _FULL:
                        logger.error("no connection can be taken: %s", error.strerror)  # noqa: TRY400 - it is no failure of ours
                    await asyncio.sleep(limits.SERVE_SWEEP_S if error.errno in _FULL else 0)
                    continue
                self._came(came)
        finally:
            for arrival in [*self.waiting, *self.at_work]:
                arrival.end()

    def _came(self, came: socket.socket) -> None:
        while not self.service.admission.come(has_tls=False):
            oldest = next(iter(self.waiting), None) or next(iter(self.at_work), None)
            if oldest is None:
                came.close()
                return
            oldest.end()
        self.waiting[Arrival(self, came)] = None
        self.take()

    def take(self) -> None:
        """Let those begin for whom there is a place, who came last first; who has kept his for long gives it to who waits."""
        loop = asyncio.get_running_loop()
        while self.waiting:
            if len(self.at_work) >= limits.SERVE_HANDSHAKES_MAX:
                oldest, since = next(iter(self.at_work.items()))
                left = since + limits.SERVE_HANDSHAKE_S - loop.time()
                if left > 0:
                    if self._again is None:
                        self._again = loop.call_later(left, self._take_again)
                    return
                oldest.end()
            arrival, _ = self.waiting.popitem()  # behind thousands that send nothing nobody would have his turn in time
            self.at_work[arrival] = loop.time()
            arrival.begin()

    def _take_again(self) -> None:
        self._again = None
        self.take()


@final
class Arrival:
    """A connection that has no TLS yet."""

    def __init__(self, handshakes: Handshakes, came: socket.socket) -> None:
        self._handshakes = handshakes
        self._socket: socket.socket | None = came
        self._task: asyncio.Task[None] | None = None
        self._deadline = asyncio.get_running_loop().call_later(limits.SERVE_HEAD_S, self.end)

    def begin(self) -> None:
        """It is its turn."""
        self._task = asyncio.get_running_loop().create_task(self._shake())
        self._task.add_done_callback(lambda _: self._close())  # also of one that was cancelled before its first step

    async def _shake(self) -> None:
        handshakes = self._handshakes
        assert self._socket is not None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                handshakes.made, self._socket, ssl=handshakes.context, ssl_handshake_timeout=limits.SERVE_HEAD_S
            )
            self._socket = None  # the connection's now
        except (OSError, EOFError, TimeoutError):  # an SSLError is an OSError
            pass
        finally:
            self.end()

    def end(self) -> None:
        """It is no handshake any more; without TLS, no connection either."""
        handshakes = self._handshakes
        self._deadline.cancel()
        is_counted = self in handshakes.waiting or self in handshakes.at_work
        handshakes.waiting.pop(self, None)
        handshakes.at_work.pop(self, None)
        if self._task is not None:
            self._task.cancel()
        else:
            self._close()
        if is_counted:
            handshakes.service.admission.go(has_tls=False)
            asyncio.get_running_loop().call_soon(handshakes.take)

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
