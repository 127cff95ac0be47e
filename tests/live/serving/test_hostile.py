"""A hostile network, and a server in a process of its own: what connects and says nothing, comes back all at once, says nonsense, guesses.

This file is also the program that serves, `python test_hostile.py DIRECTORY [CERTIFICATE KEY]`. It says where it is, and does what lines
of its input say, until that ends.
"""

import collections
import contextlib
import json
import os
import random
import select
import selectors
import socket
import struct
import subprocess
import sys
import threading
import time
import warnings

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import flatwater as fw
from flatwater import limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc and all of 127.0.0.0/8 are Linux's")

PATIENCE_S = 60  # for what takes a moment: a machine may be busy
HALF_OPEN = 10_000
HALF_OPEN_BYTES = 24 * 1024  # of the server for each of them; about 2 to 11 KiB are seen
HANDSHAKE_BYTES = 200 * 1024  # the same, of a handshake of TLS
WAITING_BYTES = 8 * 1024  # of one who waits for his turn
STORM = 2_000
NOTES = "CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')"
SECRET = "a row of bob's"
CODES = {400, 401, 403, 404, 405, 406, 408, 409, 413, 415, 421, 429, 503}  # of docs/live-protocol.md, without 500
CLOSES = {1000, 1001, 1002, 1003, 1007, 1009, 1012, 1013, 4400, 4401, 4403, 4429}
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"r" * 32
SHAKE = (
    b"GET /v1/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n"
)


def program(path, *tls):
    """Serve, and do what lines say: make a token of so many seconds for a user."""
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with fw.Budget("512MiB"), fw.Database(path, sync="off") as db, db.serve(port=0, tls=tls or None) as server:
        db.sql(NOTES)
        db.sql("CREATE USER carl WITH PASSWORD 'correct horse'")
        db.sql("INSERT INTO notes VALUES (1, ?)", [SECRET], user="bob")
        print(server.url, flush=True)
        for line in sys.stdin:
            user, seconds = json.loads(line)
            print(server.token(user, seconds=seconds), flush=True)


class Served:
    """A server in a process of its own, and what /proc says about it.

    Attributes:
        url, port: where it is.
        ada: a token of a user's.
    """

    def __init__(self, folder, *tls):
        self.errors = open(folder / "stderr", "w+b")  # noqa: SIM115 - closed by `close`
        self._child = subprocess.Popen(
            [sys.executable, __file__, str(folder / "data"), *map(str, tls)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        self.url = self._child.stdout.readline().strip()
        assert self.url, self.said()
        self.port = int(self.url.rpartition(":")[2])
        self.ada = self.token("ada", 3_600)
        self.http = httpx.Client(base_url=self.url, timeout=PATIENCE_S, trust_env=False, verify=False)

    def token(self, user, seconds):
        self._child.stdin.write(json.dumps([user, seconds]) + "\n")
        self._child.stdin.flush()
        return self._child.stdout.readline().strip()

    def sql(self, text, params=(), token=None):
        headers = {"authorization": f"Bearer {token or self.ada}"}
        for _ in range(5):  # a connection that was idle may have made room for another one: the next one is new
            with contextlib.suppress(httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                return self.http.post("/v1/sql", json={"sql": text, "params": list(params)}, headers=headers)
        raise AssertionError("the server ends connections without an answer")

    def health(self):
        return self.http.get("/health").json()

    def works(self):
        """Whether it serves a good client."""
        told = self.sql("SELECT count(*) AS n FROM notes")
        return told.status_code == 200 and "n" in told.json()["rows"][0]

    def held_bytes(self):
        """Memory that is in no file."""
        with open(f"/proc/{self._child.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) * 1024

    def files(self):
        """Open descriptors."""
        return len(os.listdir(f"/proc/{self._child.pid}/fd"))

    def cpu_s(self):
        """Seconds of CPU so far."""
        with open(f"/proc/{self._child.pid}/stat", encoding="ascii") as stat:
            found = stat.read().rpartition(")")[2].split()
        return (int(found[11]) + int(found[12])) / os.sysconf("SC_CLK_TCK")

    def connect(self, source="127.0.0.1"):
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_S, (source, 0))

    def until(self, is_so, seconds=PATIENCE_S):
        """Wait for something of the server's."""
        end = time.monotonic() + seconds
        while not is_so() and time.monotonic() < end:
            time.sleep(0.05)
        return is_so()

    def said(self):
        """What came on stderr."""
        self.errors.flush()
        with open(self.errors.name, encoding="utf-8", errors="replace") as read:
            return read.read()

    def close(self):
        self.http.close()
        self._child.stdin.close()
        try:
            self._child.wait(PATIENCE_S)
        finally:
            self._child.kill()
            self._child.wait()
            self._child.stdout.close()
            self.errors.close()


@pytest.fixture
def served(tmp_path):
    """One that works at the end, too, and has written no traceback."""
    made = Served(tmp_path)
    try:
        assert made.works()
        yield made
        assert made.works()
        assert "Traceback" not in made.said()
    finally:
        made.close()


@pytest.fixture
def many_files():
    """As many descriptors as this process may have; how many connections that makes."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    allowed = hard - 500 if hard != resource.RLIM_INFINITY else 1 << 30
    if allowed < HALF_OPEN:
        warnings.warn(f"ulimit -Hn is {hard}: {allowed} connections in place of {HALF_OPEN}", stacklevel=1)
    yield allowed
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# --- half-open connections ------------------------------------------------------------------------------------------------


def half_frame(size, payload):
    """The begin of a text of a client."""
    return struct.pack("!BBHI", 0x81, 0x80 | 126, size, 0) + payload


HALVES = (
    b"",
    b"GET /hea",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 2_000,
    b"POST /v1/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "begun", [HALVES, (SHAKE % b"" + half_frame(8_000, b"x" * 2_000),)], ids=["requests", "frames"]
)
def test_half_open(served, many_files, begun):
    """Ten thousand that do not finish what they began take bounded memory, keep nobody out, and are let go in time."""
    count = min(HALF_OPEN, many_files)
    before, files = served.held_bytes(), served.files()
    grown = 0
    with contextlib.ExitStack() as opened:
        for number in range(count):
            client = opened.enter_context(served.connect(f"127.0.0.{2 + number % 4}"))
            client.setblocking(False)
            with contextlib.suppress(OSError):  # it was ended for another one
                client.sendall(begun[number % len(begun)])
            if number % 2_000 == 1_999:
                assert served.works()
                grown = max(grown, served.held_bytes() - before)
        until = time.monotonic() + PATIENCE_S
        while served.files() > files + 2:  # until all are let go by the deadlines: no client has closed
            assert time.monotonic() < until
            grown = max(grown, served.held_bytes() - before)
            time.sleep(0.2)
        assert served.works()
    assert grown / count < HALF_OPEN_BYTES


@pytest.mark.slow
def test_half_open_tls(tmp_path, many_files, certificate):
    """Handshakes of TLS that stop in the middle take bounded memory, keep nobody out, and are let go in time."""
    served = Served(tmp_path, *certificate)
    try:
        assert served.works()
        count = min(3_000, many_files)
        before, files = served.held_bytes(), served.files()
        with contextlib.ExitStack() as opened:
            for number in range(count):
                client = opened.enter_context(served.connect(f"127.0.0.{2 + number % 4}"))
                client.setblocking(False)
                with contextlib.suppress(OSError):
                    client.sendall(HELLO)
            assert served.works()
            assert served.files() <= files + limits.SERVE_HTTP_MAX + 50
            assert served.held_bytes() - before < limits.SERVE_HANDSHAKES_MAX * HANDSHAKE_BYTES + count * WAITING_BYTES
            assert served.until(lambda: served.files() <= files + 2)
        assert served.works()
        assert "Traceback" not in served.said()
    finally:
        served.close()


# --- coming back all at once ----------------------------------------------------------------------------------------------


class Crowd:
    """Many WebSockets of one thread, each with one live query that goes on where it was; what each was given is checked as it comes.

    Attributes:
        heard: of each client, the numbers of the rows that it was given, in order.
        ready: how many are.
    """

    def __init__(self, served, count, users):
        self._served, self._tokens = served, [served.token(f"user{number}", 3_600) for number in range(users)]
        self._count, self._clients = count, []
        self.heard = [[] for _ in range(count)]
        self._seqs = [None] * count
        self._rest = [b""] * count
        self.ready = 0
        self._selector = None

    def come(self):
        """All of them, at once."""
        self.ready = 0
        self._selector = selectors.DefaultSelector()
        self._clients = []
        for number in range(self._count):
            client = self._served.connect(f"127.0.0.{2 + number % 4}")
            token = self._tokens[number % len(self._tokens)].encode()
            client.sendall(SHAKE % (b"Authorization: Bearer " + token + b"\r\n"))
            self._rest[number] = b""
            self._selector.register(client, selectors.EVENT_READ, number)
            self._clients.append(client)

    def cut(self):
        """All of them, without a word."""
        for client in self._clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        if self._selector is not None:
            self._selector.close()
        self._clients, self._selector = [], None

    def read_until(self, is_done):
        """Take what comes until something is so."""
        end = time.monotonic() + PATIENCE_S
        while not is_done():
            assert time.monotonic() < end, (self.ready, sum(map(len, self.heard)))
            for key, _mask in self._selector.select(1.0):
                self._take(key.data, key.fileobj)

    def _take(self, number, client):
        part = client.recv(1 << 16)
        assert part, "the server ended a connection"
        data = self._rest[number] + part
        if data.startswith(b"HTTP/1.1"):
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest[number] = head
                return
            assert b" 101 " in head, head
            query = {"type": "subscribe", "id": 1, "sql": "SELECT * FROM notes", "last_rows": 0}
            if self._seqs[number] is not None:
                query["since"] = self._seqs[number]
            text = json.dumps(query).encode()
            client.sendall(struct.pack("!BBHI", 0x81, 0x80 | 126, len(text), 0) + text)
        at = 0
        while len(data) - at >= 4:
            size, begin = data[at + 1], at + 2
            if size == 126:
                (size,), begin = struct.unpack_from("!H", data, at + 2), at + 4
            assert size < 127
            if len(data) < begin + size:
                break
            if data[at] == 0x81:
                self._hear(number, json.loads(data[begin : begin + size]))
            assert data[at] != 0x88, data[begin : begin + size]
            at = begin + size
        self._rest[number] = data[at:]

    def _hear(self, number, message):
        assert message.get("type") in {None, "authenticated", "subscribed", "level"}, message
        assert message.get("op") in {None, "insert", "ready", "snapshot"}, message
        if message.get("op") == "insert":
            self.heard[number].append(message["row"]["id"])
        if message.get("op") in {"insert", "ready"} or message.get("type") == "level":
            self._seqs[number] = message["seq"]
        self.ready += message.get("op") == "ready"


@pytest.mark.slow
def test_reconnect_storm(served, many_files):
    """Two thousand that are cut and come back all at once see each change of their rows once, in order, and leave nothing behind."""
    count, users = min(STORM, many_files), 10
    crowd = Crowd(served, count, users)
    tokens = [served.token(f"user{number}", 3_600) for number in range(users)]
    written = 0
    files = served.files()

    def write(rows):
        nonlocal written
        for _ in range(rows):
            for token in tokens:
                assert served.sql("INSERT INTO notes VALUES (?, 'x')", [written], token).status_code == 200
            written += 1

    held = []
    for _ in range(3):
        crowd.come()
        crowd.read_until(lambda: crowd.ready == count)
        write(3)
        crowd.read_until(lambda: all(len(heard) == written for heard in crowd.heard))
        write(2)  # of which some have come when they are cut
        crowd.cut()
        write(2)
        assert served.until(lambda: served.health()["connections"] == 0)
        held.append(served.held_bytes())
    crowd.come()
    crowd.read_until(lambda: all(len(heard) == written for heard in crowd.heard))
    crowd.cut()
    assert all(heard == list(range(written)) for heard in crowd.heard)
    assert served.until(lambda: served.health()["connections"] == served.health()["subscriptions"] == 0)
    assert served.until(lambda: served.files() <= files + 2)
    assert served.held_bytes() < held[0] + (16 << 20)


# --- nonsense -------------------------------------------------------------------------------------------------------------


def answered(client, patience_s=PATIENCE_S):
    """All that comes until the server ends the connection."""
    client.settimeout(patience_s)
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while part := client.recv(1 << 16):
            data += part
    return data


def exchange(served, data):
    """What the server says to these bytes, which are all. It is given a moment: behind the end of a client nobody is answered."""
    with served.connect() as client:
        with contextlib.suppress(OSError):
            client.sendall(data)
            select.select([client], [], [], 0.02)
            client.shutdown(socket.SHUT_WR)
        return answered(client)


def check_http(data):
    """Statuses are those that are documented, and nothing of others or of the inside is told."""
    assert SECRET.encode() not in data
    assert b"Traceback" not in data
    assert not data or data.startswith(b"HTTP/1.1 "), data[:100]
    for part in data.split(b"HTTP/1.1 ")[1:]:
        assert int(part[:3]) in CODES | {100, 101, 200, 206, 416, 426}, part[:300]


@st.composite
def mutated(draw, whole):
    """Bytes that were right, with parts that were cut out, doubled, replaced and put in."""
    data = bytearray(draw(whole))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 8)))
        match draw(st.integers(0, 3)):
            case 0:
                del data[at:end]
            case 1:
                data[at:at] = data[at:end] * draw(st.integers(1, 4))
            case 2:
                data[at:end] = draw(st.binary(max_size=8))
            case _:
                data[at:at] = draw(
                    st.sampled_from(
                        [b"\r\n", b"\n", b"\0", b":", b" ", b"\r\n\r\n", b"HTTP/1.1", b"%00", b"../", b"chunked"]
                    )
                )
    return bytes(data)


BODY = b'{"sql":"SELECT * FROM notes","params":[]}'
METHODS = (b"GET", b"POST", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"CONNECT", b"TRACE", b"PATCH", b"PRI")
TARGETS = (b"/", b"/v1/sql", b"/v1/token", b"/health", b"/metrics", b"/v1/openapi.json", b"/v1/live", b"/flatwater.js", b"/..%2f..%2fetc/passwd",
           b"/../server.key", b"//etc/passwd", b"/%2e%2e/app.py", b"*", b"localhost:80", b"http://localhost/health", b"/?" + b"a=b&" * 100, b"/\xc3\xa9")  # fmt: skip
HEADERS = (b"Host: localhost", b"Content-Length: 41", b"Content-Length: 9999", b"Content-Length: -1", b"Transfer-Encoding: chunked", b"Connection: close",
           b"Connection: Upgrade", b"Upgrade: websocket", b"Upgrade: h2c", b"Expect: 100-continue", b"Content-Encoding: gzip", b"Range: bytes=0-,5-1,-0",
           b"Range: bytes=" + b"0-0," * 200, b"Accept: application/vnd.apache.arrow.stream", b"Accept: */*;q=nan", b"Authorization: Basic x", b"Authorization: Bearer \xff",
           b"Content-Type: text/plain", b"Content-Type: application/json; charset=utf-7", b"Origin: null", b"X-Forwarded-For: 1.2.3.4\t5", b"Sec-WebSocket-Key: x",
           b"Sec-WebSocket-Version: 13", b"If-None-Match: *", b"Cookie: " + b"a=b;" * 1_000)  # fmt: skip


@st.composite
def requests(draw):
    """Of parts that make sense, or do not."""
    lines = [b"%s %s HTTP/1.1" % (draw(st.sampled_from(METHODS)), draw(st.sampled_from(TARGETS)))]
    lines += [b"Host: localhost"] * draw(st.sampled_from([1, 1, 1, 0]))
    lines += draw(st.lists(st.sampled_from(HEADERS), max_size=6))
    return b"\r\n".join(lines) + b"\r\n\r\n" + draw(st.sampled_from([b"", BODY, b"29\r\n" + BODY + b"\r\n0\r\n\r\n"]))


def good(served):
    """A statement of ada's."""
    head = b"POST /v1/sql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n"
    return head % (served.ada.encode(), len(BODY)) + BODY


@pytest.mark.slow
def test_nonsense_as_requests(served):
    """Whatever bytes come, an answer has a documented status, and the server lives within its memory."""

    statuses = collections.Counter()

    @settings(max_examples=300)
    @given(
        st.one_of(
            st.binary(max_size=300),
            mutated(requests()),
            mutated(st.just(good(served))),
            st.lists(requests(), max_size=4).map(b"".join),
        )
    )
    def check(data):
        told = exchange(served, data)
        check_http(told)
        statuses.update(part[:3] for part in told.split(b"HTTP/1.1 ")[1:])

    check()  # once before: what it takes the first time is no growth
    before = served.held_bytes()
    check()
    assert served.held_bytes() - before < 32 << 20
    assert statuses.keys() >= {
        b"200",
        b"400",
        b"401",
        b"404",
        b"405",
    }  # it is no use to be refused for one reason alone


WORDS = ("SELECT", "*", "FROM", "notes", "WHERE", "id", "body", "=", "'x'", "?", "1", "-1", "1e400", "9" * 30, "NULL", "AND", "OR", "NOT", "(", ")", ",", ";", "--", "/*", "*/", "'", '"',
         "ORDER BY", "GROUP BY", "LIMIT", "OFFSET", "JOIN", "ON", "UNION ALL", "WITH", "AS", "INSERT INTO", "VALUES", "UPDATE", "SET", "DELETE", "RETURNING", "CREATE TABLE", "DROP TABLE", "ALTER USER",
         "EXECUTE AS USER", "'bob'", "system.users", "system.tables", "count(*)", "max(body)", "CAST(", "CASE WHEN", "IN", "BETWEEN", "LIKE", "INTERVAL", "now()", "\u00e9", "\u200b", "\U0001f600", "\x00", "SHOW TABLES",
         "DESCRIBE", "KILL LIVE QUERY", "PASSWORD", "EXPLAIN")  # fmt: skip
WHOLE = ("SELECT * FROM notes WHERE id = ? ORDER BY body LIMIT 5", "SELECT body, count(*) AS n FROM notes GROUP BY body HAVING count(*) > 1", "INSERT INTO notes VALUES (?, 'x') ON CONFLICT DO NOTHING",
         "UPDATE notes SET body = upper(body) WHERE id IN (1, 2)", "DELETE FROM notes WHERE body LIKE '%x' RETURNING id", "WITH a AS (SELECT id FROM notes) SELECT * FROM a JOIN notes ON a.id = notes.id",
         "EXECUTE AS USER 'bob' (SELECT * FROM notes)")  # fmt: skip
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just(10**400), st.just("\ud800")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6,
)  # fmt: skip


@st.composite
def statements(draw):
    """Words of a grammar, or a statement with words that were put in and taken out."""
    if draw(st.booleans()):
        return " ".join(draw(st.lists(st.sampled_from(WORDS), max_size=25)))
    words = draw(st.sampled_from(WHOLE)).split(" ")
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(words)))
        words[at : at + draw(st.integers(0, 2))] = draw(st.lists(st.sampled_from(WORDS), max_size=2))
    return " ".join(words)


@pytest.mark.slow
def test_nonsense_as_statements(served):
    """Whatever a statement says, its answer has a documented status, and no other user's row is in it."""

    @settings(max_examples=600)
    @given(
        statements(),
        st.lists(VALUES, max_size=3),
        st.sampled_from(["application/json", "application/x-ndjson", "application/vnd.apache.arrow.stream"]),
    )
    def check(text, params, accept):
        body = json.dumps({"sql": text, "params": params}).encode()
        told = served.http.post(
            "/v1/sql", content=body, headers={"authorization": f"Bearer {served.ada}", "accept": accept}
        )
        assert told.status_code in CODES | {200}, (text, params, told.text)
        assert SECRET.encode() not in told.content

    check()


DEEP = "[" * 5_000 + "]" * 5_000
TEXTS = ('{"type":"ping"}', '{"type":"subscribe","id":1,"sql":"SELECT * FROM notes","params":[],"last_rows":10,"since":5}', '{"type":"unsubscribe","id":1}', '{"type":"authenticate","token":"x"}',
         '{"type":"subscribe","id":"a","sql":"SELECT id AS x FROM notes WHERE body = ?","params":["x"]}', '{"type":"subscribe","type":"ping","id":1,"id":2}', '{"type":"subscribe","id":1e400,"sql":""}',
         '{"type":"subscribe","id":123456789012345678901234567890,"sql":"SELECT * FROM notes"}', '{"type":"unsubscribe","id":"\\ud800"}', '{"type":"subscribe","id":2,"sql":"SELECT * FROM notes","since":-1}',
         '{"type":"subscribe","id":3,"sql":"SELECT * FROM notes","since":18446744073709551616}', '{"type":"subscribe","id":4,"sql":"SELECT * FROM notes","last_rows":-9223372036854775808}',
         '{"type":"subscribe","id":5,"sql":"SELECT * FROM notes WHERE id = ?","params":[' + "9" * 400 + "]}", '{"type":"ping","more":' + DEEP + "}", '{"type":"subscribe","id":6,"sql":"SELECT 1","params":' + DEEP + "}",
         '{"type":null}', "[]", "1", "null", '"x"', '{"type":"subscribe","id":[],"sql":{}}', '{"type":"subscribe","id":7,"sql":"SELECT * FROM notes","params":{"a":1}}')  # fmt: skip


def frame(opcode, payload, *, fin=True, reserved=0, is_masked=True, size=None):
    """One of a client, also one that no client may send."""
    size = len(payload) if size is None else size
    head = bytes([(0x80 if fin else 0) | reserved | opcode])
    bit = 0x80 if is_masked else 0
    if size < 126:
        head += bytes([bit | size])
    else:
        head += struct.pack("!BH", bit | 126, size) if size < 1 << 16 else struct.pack("!BQ", bit | 127, size)
    return head + (b"\0\0\0\0" if is_masked else b"") + payload


TEXT_FRAMES = st.one_of(
    st.sampled_from(TEXTS).map(str.encode), mutated(st.sampled_from(TEXTS).map(str.encode)), st.binary(max_size=30)
).map(lambda text: frame(1, text))
FRAMES = st.builds(
    frame, st.integers(0, 15), st.one_of(st.binary(max_size=130), st.sampled_from([b"\x03\xe8", b"\x03\xed", b"\x00\x00", b"\x13\x88\xff"])), fin=st.booleans(),
    reserved=st.sampled_from([0, 0, 0, 0x10, 0x40, 0x70]), is_masked=st.sampled_from([True, True, True, False]), size=st.sampled_from([None, None, None, 0, 125, 126, 70_000, (1 << 63) - 1, (1 << 64) - 1]),
)  # fmt: skip


def check_frames(data):
    """Frames are whole and known, messages are JSON of the protocol, codes are those that are documented."""
    at = 0
    while at < len(data):
        opcode, size, begin = data[at], data[at + 1], at + 2
        if size == 126:
            (size,), begin = struct.unpack_from("!H", data, at + 2), at + 4
        payload = data[begin : begin + size]
        assert opcode in {0x81, 0x88, 0x89, 0x8A}
        if opcode == 0x81:
            told = json.loads(payload)
            assert told.get("error", {}).get("code") != "broken", told
        if opcode == 0x88 and size:
            code = int.from_bytes(payload[:2], "big")
            assert code in CLOSES or 3_000 <= code < 5_000, payload  # a client's own code comes back
        at = begin + size


@pytest.mark.slow
def test_nonsense_as_frames(served):
    """Whatever frames and messages come, they are answered, or the connection is closed with a documented code."""

    @settings(max_examples=500)
    @given(st.lists(st.one_of(TEXT_FRAMES, FRAMES, mutated(TEXT_FRAMES)), max_size=5), st.booleans())
    def check(frames, is_known):
        token = b"Authorization: Bearer %s\r\n" % served.ada.encode() if is_known else b""
        with served.connect() as client:
            client.sendall(SHAKE % token)
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(1)
            assert head.startswith(b"HTTP/1.1 101")
            with contextlib.suppress(OSError):
                client.sendall(b"".join(frames) + frame(8, b"\x03\xe8"))
                client.shutdown(socket.SHUT_WR)
            told = answered(client)
        assert SECRET.encode() not in told
        check_frames(told)

    check()


# --- tokens and passwords -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_token_that_ends_in_the_middle(served):
    """A connection ends behind its token and not before, with 4401; a new token goes on without a loss; a statement at work is done."""
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    url = served.url.replace("http", "ws", 1) + "/v1/live"
    later = served.token("ada", 3_600)
    seen, since, number = [], None, 0
    for _ in range(2):
        token, begun = served.token("ada", 2), time.time()
        with connect(
            url, compression=None, proxy=None, additional_headers={"Authorization": f"Bearer {token}"}
        ) as live:
            query = {"type": "subscribe", "id": 1, "sql": "SELECT * FROM notes", "last_rows": 0}
            live.send(json.dumps(query if since is None else query | {"since": since}))
            with pytest.raises(ConnectionClosed) as closed:  # noqa: PT012 - it ends at some time
                while True:
                    told = json.loads(live.recv(PATIENCE_S))
                    if told.get("op") == "insert":
                        seen.append(told["row"]["id"])
                    if told.get("op") in {"insert", "ready"}:
                        since = told["seq"]
                        assert served.sql("INSERT INTO notes VALUES (?, 'x')", [number], later).status_code == 200
                        number += 1
                        time.sleep(0.02)  # as many changes as two seconds have
            assert closed.value.rcvd.code == 4401
            assert time.time() >= int(begun) + 2
        assert served.sql("SELECT * FROM notes LIMIT 1", token=token).status_code == 401
    with connect(url, compression=None, proxy=None, additional_headers={"Authorization": f"Bearer {later}"}) as live:
        live.send(json.dumps(query | {"since": since}))
        while len(seen) < number:
            told = json.loads(live.recv(PATIENCE_S))
            if told.get("op") == "insert":
                seen.append(told["row"]["id"])
    assert seen == list(range(number))


@pytest.mark.slow
def test_guessing_without_end(served):
    """Guesses from many addresses take bounded memory and few hashes, also for users that there are not; who knows the password gets in."""
    before, status = served.held_bytes(), collections.Counter()
    is_over = threading.Event()
    hashes = 8 * limits.SERVE_FAILURES

    def guess(address):
        transport = httpx.HTTPTransport(local_address=address)
        chance = random.Random(address)
        with httpx.Client(base_url=served.url, transport=transport, timeout=PATIENCE_S, trust_env=False) as client:
            for _ in range(200):
                user = chance.choice(["carl", "nobody", "bob", f"u{chance.random()}"])
                told = client.post("/v1/token", json={"user": user, "password": f"guess {chance.random()}"})
                status[told.status_code] += 1
                if is_over.is_set():
                    return

    threads = [threading.Thread(target=guess, args=(f"127.0.0.{10 + number}",)) for number in range(8)]
    cpu = served.cpu_s()
    for thread in threads:
        thread.start()
    for _ in range(3):
        told = served.http.post("/v1/token", json={"user": "carl", "password": "correct horse"})
        assert told.status_code == 200
        assert served.works()
    for thread in threads:
        thread.join(PATIENCE_S)
    is_over.set()
    assert set(status) == {401, 429}
    assert (
        hashes <= status[401] <= 8 * (limits.SERVE_ADDRESS_FAILURES + 10)
    )  # the rest was refused before it took a hash
    assert status[429] >= 1_000
    assert served.cpu_s() - cpu < PATIENCE_S
    assert served.held_bytes() - before < 2 * limits.SERVE_HASH_BYTES + (32 << 20)


if __name__ == "__main__":
    program(*sys.argv[1:])
