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


def gone(client, patience_s=PATIENCE_S):
    """Whether the server ends the connection, which is read by nobody before that."""
    client.settimeout(patience_s)
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while client.recv(1 << 16):
            pass
    return True


def sent(client, data):
    """Send it, or as much as the server takes."""
    with contextlib.suppress(OSError):
        client.sendall(data)


GET = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_too_many_requests_at_once(opened, ask):
    """More requests than may wait behind the one at work are refused, and nothing is kept of them."""
    client = opened()
    sent(client, GET * 5_000)
    told = rest(client)
    assert told.count(b"HTTP/1.1 200 OK") <= limits.SERVE_PIPELINED_MAX
    assert ask.get("/health").status_code == 200


@pytest.mark.parametrize("head", [b"a:b\r\n" * 101, b"a:b\r\n" * 6_000], ids=["some", "many"])
def test_too_many_headers(opened, head):
    """A request has so many headers; more are refused before its end comes."""
    client = opened()
    sent(client, b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + head)
    assert b" 400 " in rest(client)


def test_heads_of_all(opened, ask, monkeypatch, on_loop, server):
    """Heads that arrive have a bound together; who passes it goes, and his bytes are given back."""
    monkeypatch.setattr(limits, "SERVE_HEADS_BYTES", 100_000)
    clients = [opened() for _ in range(10)]
    for client in clients:
        sent(client, b"GET /health HTTP/1.1\r\nX: " + b"y" * 20_000)
    until = time.monotonic() + 10
    while on_loop(lambda: len(server.service.arriving)) > 4 and time.monotonic() < until:
        time.sleep(0.02)
    assert 0 < on_loop(lambda: server.service.admission.heads) <= 100_000
    assert ask.get("/health").status_code == 200
    for client in clients:
        client.close()
    while on_loop(lambda: len(server.service.arriving)) and time.monotonic() < until:
        time.sleep(0.02)
    assert on_loop(lambda: server.service.admission.heads) == 0


def test_a_body_that_nobody_reads(opened, monkeypatch):
    """The rest of a request that was refused has to come in time, also when a byte comes now and then."""
    monkeypatch.setattr(limits, "SERVE_HEAD_S", 0.5)
    client = opened()
    client.sendall(b"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
    assert b" 401 " in client.recv(1 << 16)
    begin = time.monotonic()
    with contextlib.suppress(OSError):
        while time.monotonic() - begin < PATIENCE_S:
            client.sendall(b"x")
            client.settimeout(0.05)
            try:
                if not client.recv(1 << 16):
                    break
            except TimeoutError:
                continue
    assert time.monotonic() - begin < PATIENCE_S
    whole = opened()
    whole.sendall(b"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n01234")
    assert b" 401 " in whole.recv(1 << 16)
    whole.sendall(b"56789" + GET)
    assert b" 200 " in whole.recv(1 << 16)


@pytest.mark.parametrize(
    "end", [b"", b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"], ids=["stays", "closes"]
)
def test_responses_that_nobody_takes(opened, monkeypatch, on_loop, server, end):
    """Who does not read the responses that he asked for goes, with what is at work for him."""
    monkeypatch.setattr(limits, "SERVE_SEND_S", 0.5)
    monkeypatch.setattr(limits, "SERVE_IDLE_S", 1.0)
    client = opened()
    asked = b"GET /flatwater.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
    until = time.monotonic() + 60
    while not on_loop(lambda: list(server.service.arriving)) and time.monotonic() < until:
        time.sleep(0.01)  # the system has taken the connection, and the server may not have looked yet
    (connection,) = on_loop(lambda: list(server.service.arriving))
    count = 0
    while not on_loop(lambda: connection.flow.write_paused or connection.transport.is_closing()):
        assert time.monotonic() < until
        if on_loop(lambda: connection.server_state.total_requests) == count:
            sent(client, asked)
            count += 1
    sent(client, end)
    while on_loop(lambda: server.service.admission.https) and time.monotonic() < until:
        time.sleep(0.05)
    assert on_loop(lambda: (server.service.admission.https, len(server.service.idle))) == (0, 0)


def test_idle_ones_make_room(opened, ask, monkeypatch, on_loop, server):
    """Connections that were answered and stay open keep nobody out either: the oldest of them goes."""
    monkeypatch.setattr(limits, "SERVE_HTTP_MAX", 20)
    kept = [opened() for _ in range(20)]
    for client in kept:
        client.sendall(GET)
        assert b" 200 " in client.recv(1 << 16)
    assert on_loop(lambda: len(server.service.idle)) == 20
    assert ask.get("/health").status_code == 200
    assert gone(kept[0])
    assert on_loop(lambda: server.service.admission.https) == 20


def test_log_ins_that_are_kept_back(opened, ask, database, monkeypatch):
    """Bodies of log-ins that do not come take no turn: others log in, and their statements are done."""
    monkeypatch.setattr(limits, "SERVE_USER_REQUESTS", 2)
    monkeypatch.setattr(limits, "SERVE_WAITING_MAX", 10)
    database.sql("CREATE USER bob WITH PASSWORD 'correct horse'")
    for _ in range(30):
        opened().sendall(b"POST /v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    assert ask.sql("SELECT * FROM notes").status_code == 200
    assert ask.http.post("/v1/token", json={"user": "bob", "password": "correct horse"}).status_code == 200


def test_who_leaves_with_requests_waiting(opened, ask, on_loop, server, caplog):
    """Leaves nothing at work, and nothing in the log."""
    client = opened()
    client.sendall(b"GET /flatwater.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 6)
    client.close()
    until = time.monotonic() + 10
    while on_loop(lambda: server.service.admission.https) and time.monotonic() < until:
        time.sleep(0.02)
    assert ask.get("/health").status_code == 200
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


POST = b"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
BODY = b'{"sql":"SELECT * FROM notes"}'
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    "rest_of_head",
    [
        b"Content-Length: 29\r\nTransfer-Encoding: chunked\r\n\r\n", b"Transfer-Encoding: chunked\r\nContent-Length: 29\r\n\r\n",
        b"Content-Length: 29\r\nContent-Length: 5\r\n\r\n", b"Content-Length: 29\r\nContent-Length: 29\r\n\r\n", b"Content-Length: 29, 29\r\n\r\n",
        b"Content-Length: +29\r\n\r\n", b"Content-Length: 0x1d\r\n\r\n", b"Content-Length: 2 9\r\n\r\n", b"Content-Length : 29\r\n\r\n",
        b"Content-Length: 99999999999999999999999\r\n\r\n", b"Transfer-Encoding: chunked, identity\r\n\r\n", b"Transfer-Encoding: xchunked\r\n\r\n",
        b"Transfer-Encoding: identity\r\n\r\n", b"Transfer-Encoding : chunked\r\n\r\n", b"X: y\n\r\n", b"X: y\n\n", b"X: y\r\r\n\r\n", b"X\0: y\r\n\r\n", b"X: y\0z\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", b" Content-Length: 29\r\n\r\n", b"X: y\r\n Content-Length: 29\r\n\r\n", b": y\r\n\r\n", b"X;: y\r\n\r\n",
    ],
)  # fmt: skip
def test_smuggling(opened, server, rest_of_head):
    """A request whose end two readers may see in different places is refused, and nothing behind it is a request."""
    client = opened()
    sent(client, POST % server.token("ada").encode() + rest_of_head + BODY + HIDDEN)
    client.shutdown(socket.SHUT_WR)
    told = rest(client)
    assert told.startswith(b"HTTP/1.1 4")
    assert told.count(b"HTTP/1.1 ") == 1
    assert b" 404 " not in told


@pytest.mark.parametrize(
    "end",
    [
        b"1d\n%s\n0\n\n",
        b"1d;%s\r\n",
        b"1d \r\n%s\r\n0\r\n\r\n",
        b"-1d\r\n%s\r\n0\r\n\r\n",
        b"1dx\r\n%s\r\n0\r\n\r\n",
        b"1d\r\n%sXX0\r\n\r\n",
        b"10000000000000001d\r\n%s\r\n0\r\n\r\n",
    ],
)
def test_chunks_that_are_none(opened, server, end):
    """Are refused; what stands behind them is no request."""
    client = opened()
    sent(client, POST % server.token("ada").encode() + b"Transfer-Encoding: chunked\r\n\r\n" + end % BODY + HIDDEN)
    client.shutdown(socket.SHUT_WR)
    told = rest(client)
    assert told.count(b"HTTP/1.1 ") <= 1
    assert b" 200 " not in told
    assert b" 404 " not in told


def test_headers_behind_a_body(opened, server):
    """Belong to no request: not to the one that they came with, nor to the next one of the connection."""
    client = opened()
    token = server.token("ada").encode()
    unknown = b"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1d\r\n%s\r\n0\r\nAuthorization: Bearer %s\r\n\r\n"
    client.sendall(
        unknown % (BODY, token)
        + b"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 29\r\n\r\n"
        + BODY
    )
    told = rest(client)
    assert told.count(b"HTTP/1.1 401") == 2


def test_a_handshake_behind_a_request(opened, server, on_loop):
    """A connection with a request at work is given over to nobody."""
    client = opened()
    handshake = (
        b"GET /v1/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    client.sendall(b"GET /flatwater.js HTTP/1.1\r\nHost: localhost\r\n\r\n" + handshake)
    assert b" 101 " not in rest(client)
    assert on_loop(lambda: len(server.service.connections)) == 0
