"""A client that costs little: thousands of WebSockets that count the frames they get, and requests of HTTP at a rate.

It is a process of its own, `python -m benchmarks.live.load`, which is nobody's child by then: neither its CPU nor its memory is that of
what a case measures. It ends when the pipe to it does. `Load` is the other end of the pipe.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import random
import re
import select
import socket
import struct
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, final

HOST = "127.0.0.1"
WAIT_S = 120.0  # for whatever is awaited
SILENCE_S = 5.0  # after which nothing more is awaited
CHUNK_BYTES = 1 << 18  # that are read at once
PUBLISHERS = 20  # connections of who publishes at a rate, each with one row under way
OPENING_MAX = 200  # handshakes under way at once
SMALL = 126  # bytes below which a frame is no row: a ping, or a word of the protocol
BODY = "x" * 190  # of a row, which makes a message of about 300 bytes
_SENT, _ID = re.compile(rb'"sent_ns":(\d+)'), re.compile(rb'"id":(\d+)')


@final
class Load:
    """The other end: each method of `Clients` by its name, with arguments of JSON."""

    def __init__(self) -> None:
        argv = [sys.executable, "-m", "benchmarks.live.load"]
        starting = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        assert starting.stdin is not None
        assert starting.stdout is not None
        self._to, self._from = starting.stdin, starting.stdout
        starting.wait()
        self._from.readline()  # it is there

    def start(self, name: str, *arguments: Any) -> None:
        """Begin something."""
        self._to.write(json.dumps([name, arguments]).encode() + b"\n")
        self._to.flush()

    def result(self) -> Any:
        """What came of it."""
        line = self._from.readline()
        if not line:
            raise OSError("the load client ended")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def call(self, name: str, *arguments: Any) -> Any:
        """Both."""
        self.start(name, *arguments)
        return self.result()

    def close(self) -> None:
        """End it, and wait for that."""
        self._to.close()
        self._from.read()
        self._from.close()


class Client:
    """One WebSocket."""

    __slots__ = ("number", "rest", "skip", "sock")

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock, self.number = sock, number
        self.rest = b""  # the begin of a frame whose length is not known, or all of a frame that is read with care
        self.skip = 0  # bytes of a frame that are still to come


@final
class Clients:
    """What the process can do."""

    def __init__(self) -> None:
        self._clients: list[Client] = []
        self._by_fd: dict[int, Client] = {}
        self._poll = select.epoll()
        self._buffer = bytearray(CHUNK_BYTES)
        self._view = memoryview(self._buffer)
        self._latencies_ns: list[int] = []
        self._timed = 0  # each of so many clients is looked at for delays; 0 for none
        self._publisher: Publisher | None = None
        self._is_quick = False
        self._count = 0  # messages with rows that came

    # --- connecting ---------------------------------------------------------------------------------------------------

    def open(self, port: int, paths: list[str], texts: list[str], word: str, *options: str) -> int:
        """Connect one client for each path, send it its text (of those, in turn), and wait until a message has `word`.

        With the option "quick" all that comes is acknowledged at once: nchan waits with a second message until the first one is.
        """
        self._is_quick = "quick" in options
        first = len(self._clients)
        waiting: dict[int, Client] = {}
        shaking: dict[int, int] = {}
        todo = collections.deque(range(len(paths)))
        deadline = time.monotonic() + WAIT_S
        while todo or shaking:
            while todo and len(shaking) < OPENING_MAX:
                number = todo.popleft()
                sock = socket.create_connection((HOST, port), WAIT_S)
                sock.settimeout(0.0)
                sock.sendall(
                    f"GET {paths[number]} HTTP/1.1\r\nHost: {HOST}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
                )
                client = self._by_fd[sock.fileno()] = Client(sock, len(self._clients))
                self._clients.append(client)
                shaking[sock.fileno()] = number
                self._poll.register(sock.fileno(), select.EPOLLIN)
            for fd, _ in self._poll.poll(1.0):
                client = self._by_fd[fd]
                client.rest += self._received(client)
                if fd in shaking and b"\r\n\r\n" in client.rest:
                    head, _, client.rest = client.rest.partition(b"\r\n\r\n")
                    if b" 101 " not in head:
                        raise OSError(f"no handshake: {head[:200]!r}")
                    number = shaking.pop(fd)
                    if texts:
                        client.sock.sendall(masked(texts[number % len(texts)]))
                    waiting[fd] = client
            _check(deadline, "handshakes")
        if word:
            self._await(word, len(self._clients) - first)
        return len(self._clients)

    def say(self, texts: list[list[str]], word: str) -> None:
        """Send each client its texts, and wait for as many messages with `word`."""
        for begin in range(0, len(texts), 500):
            some = texts[begin : begin + 500]
            for client, mine in zip(self._clients[begin:], some, strict=False):
                client.sock.sendall(b"".join(map(masked, mine)))
            self._await(word, sum(map(len, some)))

    def _await(self, word: str, count: int) -> None:
        """Read with care until so many messages had the word."""
        wanted, seen = word.encode(), 0
        deadline = time.monotonic() + WAIT_S

        def look(_: Client, payload: bytes) -> None:
            nonlocal seen
            seen += wanted in payload
            if b'"error"' in payload:
                raise OSError(f"refused: {payload[:300]!r}")

        for client in self._clients:
            if client.rest:
                self._with_care(client, b"", look)
        while seen < count:
            for fd, _ in self._poll.poll(1.0):
                client = self._by_fd[fd]
                self._with_care(client, self._received(client), look)
            _check(deadline, f"{word}: {seen} of {count}")

    def _received(self, client: Client) -> bytes:
        try:
            data = client.sock.recv(CHUNK_BYTES)
        except BlockingIOError:
            return b""
        if not data:
            raise OSError(f"the server closed a connection; last: {client.rest[-200:]!r}")
        return data

    def _with_care(self, client: Client, data: bytes, look: Callable[[Client, bytes], None]) -> None:
        """Every frame that is there in whole is shown."""
        rest = client.rest + data
        pos = 0
        while pos + 2 <= len(rest):
            begin, size = pos + 2, rest[pos + 1]
            if size == 126:
                begin, size = pos + 4, int.from_bytes(rest[pos + 2 : pos + 4], "big")
            elif size == 127:
                begin, size = pos + 10, int.from_bytes(rest[pos + 2 : pos + 10], "big")
            if len(rest) < begin + size:
                break
            if rest[pos] == 0x89:
                client.sock.sendall(b"\x8a\x80\0\0\0\0")
            elif rest[pos] == 0x88:
                raise OSError(f"the server closed: {rest[begin : begin + size]!r}")
            else:
                look(client, rest[begin : begin + size])
            pos = begin + size
        client.rest = rest[pos:]

    # --- counting -----------------------------------------------------------------------------------------------------

    def _take(self, client: Client) -> None:
        """Count the messages that came; of their frames only the heads are looked at."""
        kept = len(client.rest)
        if kept:
            self._view[:kept] = client.rest
            client.rest = b""
        came = client.sock.recv_into(self._view[kept:])
        if not came:
            raise OSError("the server closed a connection")
        if self._is_quick:
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        length, pos = kept + came, client.skip
        if pos > length:
            client.skip = pos - length
            return
        self._count += pos > 0
        while pos < length:
            size = self._size(pos, length)
            end = pos + size
            if not size or (size < SMALL and end > length):
                client.rest = bytes(self._view[pos:length])
                end = length
            elif size < SMALL:
                self._heard(client, pos, end)
            elif end <= length:
                self._count += 1
                if self._timed and not client.number % self._timed:
                    self._note(pos, end)
            pos = end
        client.skip = pos - length

    def _size(self, pos: int, length: int) -> int:
        """Bytes of the frame at a position; 0 where its head has not come in whole."""
        buffer = self._buffer
        if pos + 4 > length:
            return buffer[pos + 1] + 2 if pos + 2 <= length and buffer[pos + 1] < SMALL else 0
        size = buffer[pos + 1]
        if size == 126:  # RFC 6455, 5.2
            return 4 + (buffer[pos + 2] << 8 | buffer[pos + 3])
        if size == 127:  # the same
            return 10 + int.from_bytes(self._view[pos + 2 : pos + 10], "big") if pos + 10 <= length else 0
        return size + 2

    def _heard(self, client: Client, begin: int, end: int) -> None:
        """A small frame: a ping is answered."""
        if self._buffer[begin] == 0x89:
            client.sock.sendall(b"\x8a\x80\0\0\0\0")
        elif self._buffer[begin] == 0x88:
            raise OSError(f"the server closed: {bytes(self._view[begin + 2 : end])!r}")

    def _note(self, begin: int, end: int) -> None:
        found = _SENT.search(self._buffer, begin, end)
        if found is not None:
            self._latencies_ns.append(time.monotonic_ns() - int(found[1]))

    def _until(self, count: int) -> bool:
        """Read until so many messages have come since the beginning; False where nothing more comes."""
        poll, by_fd, take = self._poll.poll, self._by_fd, self._take
        while self._count < count:
            before = self._count
            for fd, _ in poll(SILENCE_S):
                take(by_fd[fd])
            if self._count == before and not poll(SILENCE_S):
                return False
        return True

    def listen(self, seconds: float, timed: int = 0) -> dict[str, Any]:
        """Read for so long; how many messages came, and percentiles of their delay, as each of `timed` clients sees it."""
        self._latencies_ns, self._timed = [], timed
        begin, before, cpu = time.monotonic(), self._count, time.process_time()
        poll, by_fd, take = self._poll.poll, self._by_fd, self._take
        while (left := begin + seconds - time.monotonic()) > 0:
            for fd, _ in poll(min(left, 1.0)):
                take(by_fd[fd])
        delays, self._timed = sorted(self._latencies_ns) or [0], 0
        found = {"count": self._count - before, "cpu_s": time.process_time() - cpu}
        return {**found, **{f"p{share}_ms": delays[len(delays) * share // 100] / 1e6 for share in (50, 95, 99)}}

    def speak(self, text: list[str]) -> None:
        """Send every client one of these texts, and wait for nothing."""
        for number, client in enumerate(self._clients):
            client.sock.sendall(masked(text[number % len(text)]))

    # --- publishing ---------------------------------------------------------------------------------------------------

    def publisher(self, kind: str, port: int, token: str, body_bytes: int) -> None:
        """Who publishes from here on; numbers of rows go on."""
        first = 0 if self._publisher is None else self._publisher.last
        self._publisher = Publisher(kind, port, token, "x" * (body_bytes or len(BODY)), first)

    def bursts(self, count: int, rows: int, readers: int, topic: int) -> dict[str, float]:
        """So many times: publish `rows`, and wait until all readers have them; `share` says what part of all came."""
        assert self._publisher is not None
        cpu, begin, before = time.process_time(), time.monotonic(), self._count
        for number in range(count):
            self._publisher.publish(rows, topic)
            if not self._until(before + (number + 1) * rows * readers):
                break
        share = (self._count - before) / (count * rows * readers) if readers else 1.0
        return {"cpu_s": time.process_time() - cpu, "wall_s": time.monotonic() - begin, "share": share}

    def publish_for(self, seconds: float, rate: float, topics: int) -> dict[str, float]:
        """One row at a time, so many a second, each for one of so many topics; what is not published in time is left out.

        A row is as old as the moment at which it was due.
        """
        assert self._publisher is not None
        chance, poll = random.Random(7), select.epoll()
        idle = collections.deque(self._publisher.socks)
        busy: dict[int, socket.socket] = {}
        for sock in idle:
            poll.register(sock.fileno(), select.EPOLLIN)
        begin, done, late_s = time.monotonic(), 0, 0.0
        while busy or time.monotonic() < begin + seconds:
            now, due = time.monotonic(), begin + done / rate
            while idle and due <= now < begin + seconds:
                sock = idle.popleft()
                self._publisher.send(sock, 1, lambda: chance.randrange(topics), int(due * 1e9))
                busy[sock.fileno()] = sock
                late_s = max(late_s, now - due)
                done += 1
                due = begin + done / rate
            for fd, _ in poll.poll(min(max(due - time.monotonic(), 0.0), 0.1) if idle else 0.1):
                self._publisher.answered(busy[fd])
                idle.append(busy.pop(fd))
        poll.close()
        return {"count": done, "late_s": late_s, "wall_s": time.monotonic() - begin}

    def ask_for(self, seconds: float, rate: float, connections: int, port: int, token: str) -> dict[str, float]:
        """SELECTs by key, so many a second over so many connections, each with one under way; rate 0 is as many as get answered."""
        poll, waiting, idle = select.epoll(), {}, collections.deque[Any]()
        for _ in range(connections):
            sock = socket.create_connection((HOST, port), WAIT_S)
            poll.register(sock.fileno(), select.EPOLLIN)
            idle.append(sock)
        chance = random.Random(8)
        begin, cpu, done, sent = time.monotonic(), time.process_time(), 0, 0
        delays: list[float] = []
        while (now := time.monotonic()) < begin + seconds or waiting:
            while idle and now < begin + seconds and (not rate or sent < (now - begin) * rate):
                sock = idle.popleft()
                sock.sendall(asked(port, token, "SELECT * FROM events WHERE id = ?", [chance.randrange(1_000)]))
                waiting[sock.fileno()] = (sock, now)
                sent += 1
            for fd, _ in poll.poll(0.001 if rate else 0.1):
                sock, since = waiting.pop(fd)
                data = sock.recv(CHUNK_BYTES)
                while not _is_whole(data):
                    data += sock.recv(CHUNK_BYTES)
                if not data.startswith(b"HTTP/1.1 200"):
                    raise OSError(f"refused: {data[:300]!r}")
                delays.append(time.monotonic() - since)
                idle.append(sock)
                done += 1
        for sock in idle:
            sock.close()
        delays.sort()
        return {
            "count": done, "p99_ms": delays[len(delays) * 99 // 100] * 1e3, "cpu_s": time.process_time() - cpu, "wall_s": time.monotonic() - begin,
        }  # fmt: skip

    # --- who does not read --------------------------------------------------------------------------------------------

    def stall(self, number: int) -> None:
        """One of them reads no more."""
        self._poll.unregister(self._clients[number].sock.fileno())

    def read_on(self, number: int, count: int, seconds: float) -> dict[str, float]:
        """It does again, until so many rows have come, or nothing comes for so long; then it reads with the others."""
        client, found = self._clients[number], set[int]()
        twice = resets = 0

        def look(_: Client, payload: bytes) -> None:
            nonlocal twice, resets
            ids = [int(each) for each in _ID.findall(payload)] if len(payload) >= SMALL else []
            twice += sum(each in found for each in ids)
            found.update(ids)
            resets += b'"op":"reset"' in payload

        begin = time.monotonic()
        client.sock.settimeout(seconds)
        with contextlib.suppress(TimeoutError, OSError):  # what has not come is lost
            while len(found) < count:
                self._with_care(client, self._received(client), look)
        client.sock.settimeout(0.0)
        self._poll.register(client.sock.fileno(), select.EPOLLIN)
        return {"count": len(found), "twice": twice, "resets": resets, "wall_s": time.monotonic() - begin}


@final
class Publisher:
    """Publishes rows to one kind of server, and waits until they are taken.

    Args:
        kind: "flatwater", "nchan" or "websockets".
        port: of the server; for websockets, that of publications.
        token: who it is.
        body: of each row.
        first: number of a row.
    """

    def __init__(self, kind: str, port: int, token: str, body: str, first: int) -> None:
        self._kind, self._port, self._token, self._body = kind, port, token, body
        self.socks = [socket.create_connection((HOST, port), WAIT_S) for _ in range(PUBLISHERS)]
        for sock in self.socks:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.last = first

    def publish(self, count: int, topic: int) -> None:
        """So many rows at once; to nchan on as many connections, as it answers a second request on one only when the first was acknowledged."""
        if self._kind == "nchan":
            used = [self.socks[number % PUBLISHERS] for number in range(count)]
            for sock in used:
                self.send(sock, 1, lambda: topic, time.monotonic_ns())
            for sock in used:
                self.answered(sock)
        else:
            self.send(self.socks[0], count, lambda: topic, time.monotonic_ns())
            self.answered(self.socks[0])

    def send(self, sock: socket.socket, count: int, topic: Callable[[], int], sent_ns: int) -> None:
        """So many rows at once, in one statement; nchan takes one at a time."""
        rows = [(self.last + number, topic(), sent_ns, self._body) for number in range(count)]
        self.last += count
        if self._kind == "flatwater":
            marks = ",".join(["(?,?,?,?)"] * count)
            params = [value for row in rows for value in row]
            sock.sendall(asked(self._port, self._token, f"INSERT INTO events VALUES {marks}", params))
            return
        texts = [(row[1], message(*row)) for row in rows]
        if self._kind == "nchan":
            head = (
                b"POST /pub?id=%d HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            )
            for number, text in texts:
                sock.sendall(head % (number, len(text), text))
        else:
            parts = [struct.pack("!II", topic, len(text)) + text for topic, text in texts]
            sock.sendall(struct.pack("!I", count) + b"".join(parts))

    def answered(self, sock: socket.socket) -> None:
        """Wait until rows that were sent are taken."""
        if self._kind == "websockets":
            assert sock.recv(1) == b"."
            return
        data = b""
        while not _is_whole(data):
            more = sock.recv(CHUNK_BYTES)
            if not more:
                raise OSError("the server closed the publisher's connection")
            data += more
        if not data.startswith(b"HTTP/1.1 20"):
            raise OSError(f"refused: {data[:300]!r}")


def asked(port: int, token: str, sql: str, params: list[Any]) -> bytes:
    """The request of a statement."""
    body = json.dumps({"sql": sql, "params": params}, separators=(",", ":")).encode()
    head = f"POST /v1/sql HTTP/1.1\r\nHost: {HOST}:{port}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def message(number: int, topic: int, sent_ns: int, body: str) -> bytes:
    """What others publish: the same bytes that a served database makes of the row, but for its numbers."""
    row = f'{{"id":{number},"topic":{topic},"sent_ns":{sent_ns},"body":"{body}"}}'
    return f'{{"channel":1,"op":"insert","seq":{number + 10},"row":{row}}}'.encode()


def masked(text: str) -> bytes:
    """A frame of a client; a mask of zeros is one."""
    data = text.encode()
    if len(data) < SMALL:
        return bytes((0x81, 0x80 | len(data))) + b"\0\0\0\0" + data
    return struct.pack("!BBHI", 0x81, 0x80 | 126, len(data), 0) + data


def _is_whole(data: bytes) -> bool:
    head = data.find(b"\r\n\r\n")
    return head >= 0 and len(data) >= head + 4 + _length(data[: head + 4])


def _length(head: bytes) -> int:
    found = re.search(rb"(?i)content-length: *(\d+)", head)
    assert found is not None, head
    return int(found[1])


def _check(deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        raise OSError(f"waited too long for {what}")


def main() -> None:
    """Do what the lines on stdin say."""
    if os.fork():
        os._exit(0)
    clients = Clients()
    print("ready", flush=True)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            answer = {"value": getattr(clients, name)(*arguments)}
        except Exception:  # noqa: BLE001 - told to the other end
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
