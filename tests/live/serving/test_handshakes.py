"""TLS that begins: counted, bounded, ended in time; who means it gets in while thousands do not."""

import contextlib
import os
import socket
import ssl
import threading
import time

import httpx
import pytest

from flatwater import limits
from flatwater.live.database import Database

HALF = bytes.fromhex("160301020001 0001fc0303")  # the beginning of a ClientHello


@pytest.fixture
def pair(certificate_of, tmp_path):
    return certificate_of(tmp_path / "pair")


@pytest.fixture
def secure(tmp_path, pair):
    with Database(tmp_path / "secure", sync="off") as database, database.serve(port=0, tls=pair) as server:
        yield server


@pytest.fixture
def connected(secure):
    """A function that opens a socket, and sends bytes."""
    port, opened = int(secure.url.rsplit(":", 1)[1]), []

    def made(data=b""):
        opened.append(socket.create_connection(("127.0.0.1", port), 20))
        opened[-1].sendall(data)
        return opened[-1]

    yield made
    for each in opened:
        each.close()


def until(what):
    """Wait for it."""
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def asked(server, pair):
    """The health of a server, over a new connection."""
    with httpx.Client(verify=ssl.create_default_context(cafile=pair[0]), trust_env=False, timeout=20) as client:
        return client.get(f"{server.url}/health").json()["status"]


def test_who_means_it_gets_in(secure, pair, connected, monkeypatch):
    """All places are taken by clients that send half of a first message, and others wait behind them."""
    monkeypatch.setattr(limits, "SERVE_HANDSHAKES_MAX", 3)
    monkeypatch.setattr(limits, "SERVE_HANDSHAKE_S", 0.05)
    for number in range(40):
        connected(HALF if number % 2 else b"")
    until(lambda: secure.service.admission.shaking >= 3)
    assert asked(secure, pair) == "ok"


def test_places_are_given_back(secure, connected, monkeypatch):
    """Those that go, and those that take too long, are counted no more."""
    monkeypatch.setattr(limits, "SERVE_HANDSHAKES_MAX", 3)
    begun = [connected(HALF) for _ in range(10)]
    until(lambda: secure.service.admission.shaking == 10)
    for each in begun:
        each.close()
    until(lambda: secure.service.admission.shaking < 10)
    monkeypatch.setattr(limits, "SERVE_HEAD_S", 0.1)
    assert _ends(connected(HALF))
    monkeypatch.setattr(limits, "SERVE_HANDSHAKE_S", 0.0)
    connected(HALF)  # takes the place of one that waits no longer
    until(lambda: secure.service.admission.shaking <= 4)


def test_descriptors_are_given_back(secure, pair, connected, monkeypatch):
    """Those that had no place, waited, or were at work leave none behind."""
    monkeypatch.setattr(limits, "SERVE_HTTP_MAX", 8)
    monkeypatch.setattr(limits, "SERVE_HANDSHAKES_MAX", 4)
    monkeypatch.setattr(limits, "SERVE_HANDSHAKE_S", 0.01)
    assert asked(secure, pair) == "ok"
    until(lambda: not secure.service.admission.https)
    before = len(os.listdir("/proc/self/fd"))
    begun = [connected(HALF) for _ in range(100)]
    until(lambda: 4 <= secure.service.admission.shaking <= 8)
    for each in begun:
        each.close()
    until(lambda: secure.service.admission.shaking == 0)
    until(lambda: len(os.listdir("/proc/self/fd")) <= before)


def test_more_than_there_is_place_for(secure, pair, connected, monkeypatch):
    """The one goes that came first: a new one is not kept out."""
    monkeypatch.setattr(limits, "SERVE_HTTP_MAX", 5)
    monkeypatch.setattr(limits, "SERVE_HANDSHAKES_MAX", 2)
    monkeypatch.setattr(limits, "SERVE_HANDSHAKE_S", 0.05)
    first = connected(HALF)
    until(lambda: secure.service.admission.shaking == 1)
    for _ in range(20):
        connected(HALF)
    first.settimeout(20)
    assert _ends(first)
    assert secure.service.admission.shaking <= 5
    assert asked(secure, pair) == "ok"


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\0" * 500, b"\x16\x03\x01\xff\xff" + b"x" * 70_000]
)
def test_what_is_no_tls(secure, pair, connected, data):
    """Is ended, and counted no more."""
    wrong = connected(data)
    wrong.settimeout(20)
    assert _ends(wrong)
    until(lambda: secure.service.admission.shaking == 0)
    assert asked(secure, pair) == "ok"


def _ends(sock):
    """Whether the server ends it, in whatever way."""
    try:
        while sock.recv(1_000):
            pass
    except ConnectionResetError:
        pass
    return True


def test_a_request_with_the_last_part_of_the_handshake(secure, pair, connected):
    """Bytes that come with the end of the handshake are the beginning of the request."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context(cafile=pair[0]).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    sock = connected()
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            sock.sendall(outgoing.read())
            incoming.write(sock.recv(1 << 16))
    tls.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    sock.sendall(outgoing.read())  # the handshake's last message and the request
    answer = b""
    while b'"status"' not in answer:
        data = sock.recv(1 << 16)
        assert data, answer
        incoming.write(data)
        with contextlib.suppress(ssl.SSLWantReadError):
            while part := tls.read(1 << 16):
                answer += part
    assert b" 200 " in answer


def test_many_at_once(secure, pair):
    """Some who come at the same time all get in."""
    said = []
    threads = [threading.Thread(target=lambda: said.append(asked(secure, pair))) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert said == ["ok"] * 20


def test_the_server_ends(secure, connected):
    """Handshakes do not hold it up."""
    for _ in range(5):
        connected(HALF)
    until(lambda: secure.service.admission.shaking == 5)
    begin = time.monotonic()
    secure.close()
    assert time.monotonic() - begin < limits.SERVE_HEAD_S
