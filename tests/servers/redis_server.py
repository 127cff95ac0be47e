"""A fixture: a real Redis on a free loopback port, for one module of tests; it is gone with the process that started it.

Where the server or its client is not installed the tests skip, and the summary says what to install.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import signal
import subprocess
import time

import pytest
from keeper import PORTS_TRIED_MAX, START_S, STOP_S, die_with_parent, free_port


class RedisServer:
    """A server that keeps what it is told in a folder, so that it has it after a kill, too.

    Attributes:
        url: with the password.
    """

    def __init__(self, program, folder):
        self._program = program
        self._folder = folder
        self._password = secrets.token_hex(12)
        self._process = None
        self.port = 0
        for _try in range(PORTS_TRIED_MAX):
            self.port = free_port()
            if self.start():
                return
        raise AssertionError((folder / "log").read_text())

    @property
    def url(self):
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def client(self):
        import redis

        return redis.Redis.from_url(self.url)

    def start(self):
        """Whether it answers; not, if somebody took the port."""
        with open(self._folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--requirepass", self._password,
                 "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir", str(self._folder)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - it calls one function of the system's
            )  # fmt: skip
        deadline = time.monotonic() + START_S
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(Exception), contextlib.closing(self.client()) as client:
                return client.ping()
            time.sleep(0.01)
        return False

    def kill(self):
        """As if the machine had failed."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(STOP_S)


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory):
    """A Redis server."""
    pytest.importorskip("redis", reason="SKIPPED FOR WANT OF A CLIENT: pip install redis")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("SKIPPED FOR WANT OF A SERVER: Redis is not installed (apt-get install redis-server)")
    server = RedisServer(program, tmp_path_factory.mktemp("redis"))
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def redis(redis_server):
    """An empty database of it, through the client."""
    with contextlib.closing(redis_server.client()) as client:
        client.flushall()
        yield client
