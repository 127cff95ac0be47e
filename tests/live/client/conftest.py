"""A served database, clients of it, and what stands between them: a proxy that cuts, servers that say what they like."""

import contextlib
import socket
import struct
import threading

import pytest

import flatwater as fw
from flatwater.live.database import Database

NOTES = "CREATE TABLE notes (id BIGINT PRIMARY KEY, body TEXT) WITH (TYPE = 'USER')"


@pytest.fixture
def database(tmp_path):
    with Database(tmp_path / "data", sync="off") as made:
        made.sql(NOTES)
        yield made


class Served:
    """A database that is served, ended, and served again at the same port."""

    def __init__(self, database):
        self.database, self._port, self.now = database, 0, None
        self.start()

    def start(self):
        self.now = self.database.serve(port=self._port)
        self._port = int(self.now.url.rsplit(":", 1)[1])

    def stop(self):
        self.now.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}"

    def token(self, user="ada", **options):
        return self.now.token(user, **options)


@pytest.fixture
def served(database):
    made = Served(database)
    yield made
    made.stop()


@pytest.fixture
def client_of():
    """Makes clients, which are closed behind the test."""
    with contextlib.ExitStack() as opened:
        yield lambda *given, **options: opened.enter_context(fw.Client(*given, **options))


@pytest.fixture
def client(served, client_of):
    return client_of(served.url, token=served.token())


@pytest.fixture
def quick(monkeypatch):
    """Pauses before another try are short."""
    monkeypatch.setattr("flatwater.limits.CLIENT_PAUSE_S_MAX", 0.02)


@pytest.fixture
def take():
    """So many events of a subscription, each within some seconds."""

    def taken(reader, count):
        events = []
        while len(events) < count:
            event = reader.poll(20)
            assert event is not None, f"{len(events)} of {count} came"
            events.append(event)
        return events

    return taken


@pytest.fixture
def ready():
    """Waits until a subscription has read its snapshot, which has no rows."""

    def wait(*readers):
        for reader in readers:
            for _ in range(200):
                assert reader.poll(0.1) is None
                if reader.seq is not None:
                    break
            assert reader.seq is not None

    return wait


class Proxy:
    """Gives bytes on, so many from the server, then cuts all connections.

    Attributes:
        left: bytes of the server's until it cuts; None for any number.
        cuts: how often it did.
    """

    def __init__(self, port):
        self._target = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._lock = threading.Lock()
        self._open = set()
        self.left, self.cuts = None, 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                here = self._listening.accept()[0]
                try:
                    there = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    self._drop(here)
                    continue
                with self._lock:
                    self._open |= {here, there}
                threading.Thread(target=self._give, args=(here, there, False), daemon=True).start()
                threading.Thread(target=self._give, args=(there, here, True), daemon=True).start()

    def _give(self, source, target, is_counted):
        try:
            while data := source.recv(4_096):
                is_over = False
                if is_counted:
                    with self._lock:
                        if self.left is not None:
                            data, is_over = data[: self.left], len(data) >= self.left
                            self.left -= len(data)
                            if is_over:
                                self.left = None
                target.sendall(data)
                if is_over:
                    self.cut()
        except OSError:
            pass
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _drop(one):
        with contextlib.suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.shutdown(socket.SHUT_RDWR)
        one.close()

    def cut(self):
        """End all connections, without a word."""
        with self._lock:
            cut, self._open = self._open, set()
        self.cuts += 1
        for each in cut:
            self._drop(each)

    def close(self):
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()


@pytest.fixture
def proxy(served):
    made = Proxy(int(served.url.rsplit(":", 1)[1]))
    yield made
    made.close()


class Canned:
    """A server that answers each request with the next of some texts, the last one again and again.

    Attributes:
        heard: requests as bytes.
    """

    def __init__(self, answers):
        self._answers, self.heard = list(answers), []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                with self._listening.accept()[0] as one, contextlib.suppress(OSError, ValueError):
                    one.settimeout(10)
                    self.heard.append(self._request(one))
                    answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                    one.sendall(answer)
                    one.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _request(one):
        data = b""
        while b"\r\n\r\n" not in data:
            data += one.recv(4_096) or b"\r\n\r\n"
        head, _, body = data.partition(b"\r\n\r\n")
        size = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        while len(body) < size:
            body += one.recv(4_096)
        return head + b"\r\n\r\n" + body

    def close(self):
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@pytest.fixture
def canned():
    """Makes servers that answer what they are told to."""
    opened = []

    def make(*answers):
        opened.append(Canned(answers))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def answer():
    """The bytes of a response."""

    def made(body=b"", status="200 OK", kind="application/x-ndjson", head="", size=None):
        length = f"Content-Length: {len(body) if size is None else size}\r\n" if size != -1 else ""
        front = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\n"  # each has its own connection
        return f"{front}{length}{head}\r\n".encode() + body

    return made


@pytest.fixture
def hostile():
    """Makes WebSocket servers that say what they like, once they were told who somebody is."""
    from websockets.sync.server import serve

    opened = []

    def make(handler):
        def handle(one):
            one.recv()
            one.send('{"type": "authenticated", "user": "ada", "role": "user", "expires_s": 3600}')
            handler(one)
            with contextlib.suppress(Exception):
                one.recv(5)

        server = serve(handle, "127.0.0.1", 0, compression=None, max_size=None)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        opened.append(server)
        return f"http://127.0.0.1:{server.socket.getsockname()[1]}"

    yield make
    for each in opened:
        each.shutdown()
