"""Connections that send slowly, too much, nothing, or nonsense: bounded, ended, and no harm to others."""

import contextlib
import socket
import time

import pytest

from flatwater import limits

PATIENCE_S = 10


@pytest.fixture
def opened(server):
    """Opens sockets to the server."""
    port = int(server.url.rsplit(":", 1)[1])
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE_S))


def rest(client):
    """All that comes until the server ends the connection."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(1 << 16):
            data += part
    return data


@pytest.mark.parametrize(
    ("sent", "drop"),
    [(b"", b""), (b"GET /", b"x"), (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"x"), (b"GET / HTTP/1.1\r\nX: y", b"x")],
)
def test_slow_heads(opened, ask, monkeypatch, sent, drop):
    """A head that does not arrive in time ends its connection, also when a byte comes now and then."""
    monkeypatch.setattr(limits, "SERVE_HEAD_S", 0.5)
    slow = opened()
    slow.sendall(sent)
    begin = time.monotonic()
    with contextlib.suppress(OSError):
        while time.monotonic() - begin < 5:
            slow.sendall(drop)
            slow.settimeout(0.05)
            try:
                if not slow.recv(1):
                    break
            except TimeoutError:
                continue
    assert 0.2 < time.monotonic() - begin < 4
    assert ask.get("/health").status_code == 200


@pytest.mark.parametrize("head", [b"X-Long: " + b"y" * 200_000, b"X: y\r\n" * 20_000, b"y" * 200_000])
def test_large_heads(opened, ask, head):
    """A head larger than its bound is refused, whether it ends or not."""
    for end in (b"", b"\r\n\r\n"):
        client = opened()
        with contextlib.suppress(OSError):
            client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + head + end)
        told = rest(client)
        assert not told or b" 400 " in told
    assert ask.get("/health").status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0" * 100,
        b"GET / HTTP/9.9\r\n\r\n",
        b"NOTHING\r\n\r\n",
        b"GET  HTTP/1.1\r\n\r\n",
        b"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nbroken header\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /v1/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        (
            b"GET /v1/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n"
            b"Sec-WebSocket-Version: 12\r\n\r\n"
        ),
        b"POST /v1/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
    ids=range(14),
)
def test_nonsense(opened, ask, data):
    """What is no HTTP, or a handshake that is none, is refused; the server goes on."""
    client = opened()
    client.sendall(data)
    client.shutdown(socket.SHUT_WR)
    told = rest(client)
    assert not told or told.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5")), told
    assert ask.get("/health").status_code == 200


def test_many_that_send_nothing(opened, ask, monkeypatch, on_loop, server):
    """Connections that send nothing keep nobody out: where there are too many, the oldest of them goes."""
    monkeypatch.setattr(limits, "SERVE_HTTP_MAX", 50)
    kept = [opened() for _ in range(300)]
    assert ask.get("/health").status_code == 200
    assert on_loop(lambda: server.service.admission.https) <= 50
    assert on_loop(lambda: len(server.service.arriving)) <= 50
    for client in kept:
        client.close()
    until = time.monotonic() + 5
    while on_loop(lambda: len(server.service.arriving)) and time.monotonic() < until:
        time.sleep(0.02)
    assert on_loop(lambda: (len(server.service.arriving), server.service.admission.https <= 1)) == (0, True)


def test_several_requests_of_one_connection(opened, server):
    """Requests that come one behind another, or all at once, are answered in their order."""
    client = opened()
    request = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    client.sendall(request * 3 + b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    told = rest(client)
    assert told.count(b"HTTP/1.1 200 OK") == 3
    assert told.rindex(b"HTTP/1.1 404") > told.rindex(b"HTTP/1.1 200")
    assert len(server.service.arriving) == 0


def test_what_a_handshake_leaves(server, live, on_loop):
    """A connection that became a WebSocket is none of HTTP's any more."""
    live().follow("SELECT * FROM notes")
    assert on_loop(lambda: (server.service.admission.https, len(server.service.arriving))) == (0, 0)


def test_idle_connections_of_http(ask, on_loop, server):
    """A connection that stays open between two requests counts, and is given back when it ends."""
    ask.get("/health")
    assert on_loop(lambda: server.service.admission.https) == 1
    ask.http.close()
    until = time.monotonic() + 5
    while on_loop(lambda: server.service.admission.https) and time.monotonic() < until:
        time.sleep(0.02)
    assert on_loop(lambda: server.service.admission.https) == 0
