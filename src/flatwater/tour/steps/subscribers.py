"""Many subscribers of a served database in one process of their own: what a tour serves its rows to.

Covers:     opening connections, reading until a row says that it is over, what each of them was given.
Not here:   the server (`live.serving`), what is right (`tour.steps.serve_rows`).
Holds:      a socket, a buffer and three numbers for each; the rows as one of them knows them.

It is a program with nothing but the standard library, so that it is small: port, connections, token and query are its arguments.
It prints a line when all are ready, and one when the row with the key -1 has come to all: JSON.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import socket
import struct
import sys
import zlib
from typing import Any, Final

_READ: Final = 1 << 18
_LONG, _LONGER = 126, 127  # sizes that say that the size follows
_END: Final = -1
_WAIT_S: Final = 60.0


class Subscriber:
    """One connection.

    Attributes:
        events: changes that came.
        check: a checksum of all of them.
        is_over: the last one came.
    """

    def __init__(self, port: int, token: str, query: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), _WAIT_S)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )
        self._data = b""
        self._until(b"\r\n\r\n")
        size = struct.pack("!BBH", 0x81, 0x80 | _LONG, len(query))
        self.socket.sendall(size + bytes(4) + query)  # a mask of zeros
        self.events = self.check = 0
        self.is_over = False

    def _until(self, end: bytes) -> None:
        while end not in self._data:
            part = self.socket.recv(_READ)
            if not part:
                raise ConnectionError(self._data[:500].decode(errors="replace"))
            self._data += part
        self._data = self._data.partition(end)[2]

    def read(self) -> list[bytes]:
        """Messages that came.

        Raises:
            ConnectionError: the server ended the connection.
        """
        part = self.socket.recv(_READ)
        if not part:
            raise ConnectionError("the server ended a connection")
        data = self._data + part
        found, at = [], 0
        while len(data) - at > 1:
            size, front = data[at + 1], 2
            if size == _LONG and len(data) - at >= 4:  # noqa: PLR2004 - the frame's front
                (size,), front = struct.unpack_from("!H", data, at + 2), 4
            elif size == _LONGER and len(data) - at >= 10:  # noqa: PLR2004 - the same
                (size,), front = struct.unpack_from("!Q", data, at + 2), 10
            if len(data) - at < front + size or (front == 2 and size >= _LONG):  # noqa: PLR2004 - the same
                break
            found.append(data[at + front : at + front + size])
            at += front + size
        self._data = data[at:]
        return found


def run(port: int, count: int, token: str, sql: str) -> None:
    """Follow `sql` over so many connections; the first of them keeps its rows."""
    query = json.dumps({"type": "subscribe", "id": 1, "sql": sql, "last_rows": 0}).encode()
    followers = [Subscriber(port, token, query) for _ in range(count)]
    with selectors.DefaultSelector() as selector:
        for follower in followers:
            follower.socket.settimeout(0)
            selector.register(follower.socket, selectors.EVENT_READ, follower)
        rows: dict[int, Any] = {}
        ready = over = 0
        while over < count:
            chosen = selector.select(_WAIT_S)
            if not chosen:
                raise TimeoutError(f"{count - over} connections were given nothing for {_WAIT_S:.0f} s")
            for event, _mask in chosen:
                follower = event.data
                for message in follower.read():
                    if b'"op":"ready"' in message[:60]:
                        ready += 1
                        if ready == count:
                            print("ready", flush=True)  # noqa: T201 - what it is for
                    elif message.startswith(b'{"channel"'):
                        over += _take(follower, message, rows if follower is followers[0] else None)
    print(json.dumps(_told(followers, rows)), flush=True)  # noqa: T201 - the same


def _take(follower: Subscriber, message: bytes, rows: dict[int, Any] | None) -> int:
    """Note a change; 1 where it is the last one."""
    follower.events += 1
    follower.check = zlib.crc32(message, follower.check)
    if b'"row":{"id":-1,' in message:
        follower.is_over = True
        return 1
    if rows is not None:
        told = json.loads(message)
        if told["op"] == "delete":
            del rows[told["row"]["id"]]
        else:
            rows[told["row"]["id"]] = told["row"]["cents"]
    return 0


def _told(followers: list[Subscriber], rows: dict[int, int]) -> dict[str, int]:
    return {
        "connections": len(followers),
        "events": sum(follower.events for follower in followers),
        "different": len({(follower.events, follower.check) for follower in followers}),
        "rows": len(rows),
        "cents": sum(rows.values()),
    }


if __name__ == "__main__":
    run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
