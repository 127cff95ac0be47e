"""A database that is served, and clients that say exactly what a test wants."""

import asyncio
import contextlib
import json
import socket
import struct

import httpx
import pytest
from websockets.sync.client import connect

from flatwater.budget.budget import Budget
from flatwater.live.database import Database

PATIENCE_S = 10.0
NOTES = "CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')"


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def database(tmp_path):
    with Database(tmp_path / "data", sync="off") as made:
        made.sql(NOTES)
        yield made


@pytest.fixture
def server(database):
    with database.serve(port=0) as made:
        yield made


class Asking:
    """HTTP, in the name of a user."""

    def __init__(self, server):
        self._server = server
        self.http = httpx.Client(base_url=server.url, timeout=PATIENCE_S, trust_env=False)

    def sql(self, text, params=(), user="ada", accept="application/json"):
        headers = {"accept": accept}
        if user is not None:
            headers["authorization"] = f"Bearer {self._server.token(user)}"
        return self.http.post("/v1/sql", json={"sql": text, "params": list(params)}, headers=headers)

    def get(self, path, user=None):
        headers = {} if user is None else {"authorization": f"Bearer {self._server.token(user)}"}
        return self.http.get(path, headers=headers)


@pytest.fixture
def ask(server):
    made = Asking(server)
    yield made
    made.http.close()


@pytest.fixture
def budget_of_server(tmp_path):
    """A served database under a budget of its own, and who asks it."""
    with contextlib.ExitStack() as opened:

        def make(size):
            opened.enter_context(Budget(size))
            database = opened.enter_context(Database(tmp_path / "small", sync="off"))
            database.sql(NOTES)
            asking = Asking(opened.enter_context(database.serve(port=0)))
            opened.callback(asking.http.close)
            return database, asking

        yield make


class Live:
    """A WebSocket of the `websockets` library, and JSON over it."""

    def __init__(self, server, user):
        self.socket = connect(
            server.url.replace("http", "ws", 1) + "/v1/live", compression=None, proxy=None, max_size=None
        )
        if user is not None:
            self.say(type="authenticate", token=server.token(user))
            assert self.hear()["type"] == "authenticated"

    def say(self, **message):
        self.socket.send(json.dumps(message))

    def hear(self, timeout=PATIENCE_S):
        return json.loads(self.socket.recv(timeout))

    def follow(self, sql, name=1, **options):
        """All that comes until it is ready, without the `subscribed` in front."""
        self.say(type="subscribe", id=name, sql=sql, **options)
        told = self.hear()
        assert told["type"] == "subscribed", told
        heard = []
        while not heard or heard[-1]["op"] != "ready":
            heard.append(self.hear())
            assert heard[-1]["channel"] == told["channel"]
        return heard


@pytest.fixture
def live_of():
    """Opens connections of users to a server."""
    opened = []

    def make(server, user="ada"):
        opened.append(Live(server, user))
        return opened[-1]

    yield make
    for each in opened:
        each.socket.close()


@pytest.fixture
def live(server, live_of):
    """Opens connections of users."""
    return lambda user="ada": live_of(server, user)


class Raw:
    """A WebSocket as bytes."""

    def __init__(self, server, token, head=""):
        port = int(server.url.rsplit(":", 1)[1])
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        request = (
            f"GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{head}"
        )
        if token is not None:
            request += f"Authorization: Bearer {token}\r\n"
        self.socket.sendall(request.encode() + b"\r\n")
        self._data = b""
        self.response = self._until(b"\r\n\r\n")
        if token is not None:
            self.frame()  # authenticated

    def _until(self, end):
        while end not in self._data:
            self._more()
        found, _, self._data = self._data.partition(end)
        return found + end

    def _more(self):
        part = self.socket.recv(1 << 16)
        if not part:
            raise ConnectionError("the server ended the connection")
        self._data += part

    def _take(self, count):
        while len(self._data) < count:
            self._more()
        found, self._data = self._data[:count], self._data[count:]
        return found

    def frame(self):
        """Opcode and payload of the next frame."""
        first, size = self._take(2)
        assert not size & 0x80, "a server's frames are not masked"
        if size == 126:
            (size,) = struct.unpack("!H", self._take(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._take(8))
        assert first & 0x70 == 0
        assert first & 0x80, "a server's frames are whole"
        return first & 0x0F, self._take(size)

    def send(self, data):
        self.socket.sendall(data)

    def closing(self):
        """The code with which the server closes, whatever comes before; then it ends the connection."""
        while True:
            opcode, payload = self.frame()
            if opcode == 8:
                return int.from_bytes(payload[:2], "big") if payload else None

    @staticmethod
    def made(opcode, payload=b"", *, fin=True, mask=b"\x01\x02\x03\x04", reserved=0, size=None):
        """A client's frame, also one that no client may send."""
        size = len(payload) if size is None else size
        head = bytes([(0x80 if fin else 0) | reserved | opcode])
        bit = 0x80 if mask is not None else 0
        if size < 126:
            head += bytes([bit | size])
        elif size < 1 << 16:
            head += struct.pack("!BH", bit | 126, size)
        else:
            head += struct.pack("!BQ", bit | 127, size)
        if mask is None:
            return head + payload
        return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


@pytest.fixture
def raw(server):
    """Opens connections as bytes."""
    opened = []

    def make(user="ada", head=""):
        opened.append(Raw(server, None if user is None else server.token(user), head))
        return opened[-1]

    make.frame = Raw.made
    yield make
    for each in opened:
        each.socket.close()


@pytest.fixture
def on_loop(server):
    """Calls something on the server's loop."""

    def call(function, *arguments):
        async def run():
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(run(), server.service.loop).result(PATIENCE_S)

    return call


@pytest.fixture(scope="module")
def certificate(certificate_of, tmp_path_factory):
    """Files of a certificate for 127.0.0.1."""
    return certificate_of(tmp_path_factory.mktemp("tls") / "made")
