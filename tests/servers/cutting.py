"""A proxy on loopback that cuts connections where a test says: at the n-th request that goes through it, for instance."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator


class Cutting:
    """Hands bytes on between clients and one server.

    Attributes:
        port: where it listens, on 127.0.0.1.
        turns: how often the direction changed from the server to the client's next bytes, over all connections: each is a
            request of a protocol that asks and answers.
        cut_at: the turn at which the connection is cut (reset) instead of being handed on; 0 is never.
        cut_after: how many bytes of the answer to that turn still come back first; -1: the request does not even arrive.
        cuts: how many connections were cut.
        again: cut at every turn from `cut_at` on, not only at that one.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.port = self._listener.getsockname()[1]
        self.turns = self.cuts = self.cut_at = 0
        self.cut_after = -1
        self.again = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                client.close()
                continue
            link = _Link(self, client, server)
            with self._lock:
                self._open |= {client, server}
            threading.Thread(target=link.forth, daemon=True).start()
            threading.Thread(target=link.back, daemon=True).start()

    def next_turn(self) -> bool:
        """Count a request; whether it is one to be cut."""
        with self._lock:
            self.turns += 1
            return bool(self.cut_at) and (self.turns == self.cut_at or (self.again and self.turns > self.cut_at))

    def drop(self, *ends: socket.socket) -> None:
        """Reset both ends."""
        with self._lock:
            self.cuts += 1
        for end in ends:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.forget(end)

    def forget(self, end: socket.socket) -> None:
        """One end is closed."""
        with self._lock:
            self._open.discard(end)
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()

    def close(self) -> None:
        """End, with all connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # closing it alone does not wake who waits in accept
        self._listener.close()
        self._thread.join()
        for end in list(self._open):
            self.forget(end)


class _Link:
    """One connection."""

    def __init__(self, proxy: Cutting, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._was_back = True  # the next bytes of the client begin a request
        self._left = -2  # bytes that may still come back before the cut; -2: no cut is due

    def forth(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._client.recv(65_536):
                if self._was_back:
                    self._was_back = False
                    if self._proxy.next_turn():
                        if self._proxy.cut_after < 0:
                            self._proxy.drop(self._client, self._server)
                            return
                        self._left = self._proxy.cut_after
                self._server.sendall(data)
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_WR)

    def back(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._server.recv(65_536):
                self._was_back = True
                if self._left >= 0:
                    part, self._left = data[: self._left], self._left - len(data)
                    if part:
                        self._client.sendall(part)
                    if self._left <= 0:
                        self._proxy.drop(self._client, self._server)
                        return
                    continue
                self._client.sendall(data)
        self._proxy.forget(self._client)
        self._proxy.forget(self._server)


@contextlib.contextmanager
def cutting(server_port: int) -> Iterator[Cutting]:
    """A proxy in front of a server, for a block."""
    proxy = Cutting(server_port)
    try:
        yield proxy
    finally:
        proxy.close()
