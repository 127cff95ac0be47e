"""The servers that the cases of a served database measure: ours, nchan in nginx, and `websockets.broadcast`; each a process of its own.

A case's `run` stops the one it started. What it costs is read from the kernel, CPU seconds and what is in nobody's file, so that neither the
load client nor the case itself is in it.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.live.load import HOST, Load
from benchmarks.sync.servers import START_S, answers, free_ports, remover

OURS, NCHAN, BROADCAST, BROADCAST_UV = (
    "flatwater serve",
    "nchan in nginx",
    "websockets.broadcast",
    "websockets.broadcast on uvloop",
)
NEEDS = ("lmdb", "sqlglot", "uvicorn", "uvloop", "jwt")
MODULES = ("/usr/lib/nginx/modules", "/usr/share/nginx/modules", "/usr/lib64/nginx/modules")
BUDGET = "512MiB"
PER_USER = 800  # subscriptions, or connections, of one of our users: he may have 1,000


class Server:
    """One that runs.

    Attributes:
        kind: as `load.Publisher` has it.
        pid: of the process.
        port: of its clients.
        publications: port of who publishes.
        token: of who publishes.
    """

    def __init__(
        self, kind: str, argv: Sequence[str], port: int, publications: int = 0, *, reads: bool = False
    ) -> None:
        system = ctypes.CDLL(None)
        self._process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if reads else subprocess.DEVNULL,
            preexec_fn=lambda: system.prctl(1, signal.SIGKILL), text=True,  # noqa: PLW1509 - PR_SET_PDEATHSIG; one thread
        )  # fmt: skip
        self.kind, self.pid, self.port = kind, self._process.pid, port
        self.publications = publications or port
        self.token = ""
        until = time.monotonic() + START_S
        while not (answers(port) and answers(self.publications)):
            if self._process.poll() is not None or time.monotonic() > until:
                raise OSError(f"{argv[0]} does not start on port {port}")
            time.sleep(0.02)

    def line(self) -> str:
        """Of what it says."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def cpu_s(self) -> float:
        """User and system seconds so far, exact: the clock of another process, clock_getcpuclockid(3)."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def held_bytes(self) -> int:
        """What is in nobody's file: anonymous memory, and shared memory of its own, where nginx keeps messages."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            found = {line.split(":")[0]: line.split()[1] for line in status if line.startswith("Rss")}
        return (int(found["RssAnon"]) + int(found["RssShmem"])) * 1024

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    # --- clients ------------------------------------------------------------------------------------------------------

    def connect(self, load: Load, topics: Sequence[Sequence[int]], *, subscribe: bool = True) -> None:
        """A client for each list of topics: connected, known, and following these."""
        load.call("open", self.port, ["/"] * len(topics), ['{"hello":1}'], '"ready"')
        if subscribe:
            self.subscribe(load, topics)

    def subscribe(self, load: Load, topics: Sequence[Sequence[int]]) -> None:
        """They follow topics, each by a message of its own."""
        load.call("say", [[json.dumps({"topics": [topic]}) for topic in mine] for mine in topics], '"ready"')

    def publish(self, load: Load, body_bytes: int = 0) -> None:
        """A load client is who publishes."""
        load.call("publisher", self.kind, self.publications, self.token, body_bytes)


class Flatwater(Server):
    """`flatwater serve`, as it is started by hand, with a table that everybody may read."""

    def __init__(self, folder: str, *, users: int = 1) -> None:
        (port,) = free_ports(1)
        super().__init__(
            "flatwater", [sys.executable, "-m", "flatwater", "serve", f"{folder}/data", "--port", str(port), "--budget", BUDGET], port, reads=True,
        )  # fmt: skip
        while "#token=" not in (line := self.line()):
            assert line, "flatwater serve ended"
        threading.Thread(target=self._drain, daemon=True).start()
        one_time = line.rpartition("#token=")[2].strip()
        self.token = self.request("/v1/token", {"one_time": one_time})["token"]
        self.sql(
            "CREATE TABLE events (id BIGINT PRIMARY KEY, topic BIGINT, sent_ns BIGINT, body TEXT) WITH (TYPE = 'SHARED', ACCESS_LEVEL = 'PUBLIC')"
        )
        self._users = users
        self.tokens: list[str] = []
        self.renew()

    def renew(self) -> None:
        """New tokens for everybody."""
        self.token = self.request("/v1/token", {})["token"]
        self.tokens = [self.request("/v1/token", {"for": f"user{number}"})["token"] for number in range(self._users)]

    def _drain(self) -> None:
        with contextlib.suppress(ValueError, OSError):
            while self.line():
                pass

    def request(self, path: str, body: Any) -> Any:
        """A POST, and its JSON."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {self.token}"} if self.token else {}
        )
        connection.request("POST", path, json.dumps(body), headers)
        response = connection.getresponse()
        found = json.loads(response.read())
        connection.close()
        assert response.status == 200, found
        return found

    def sql(self, text: str, params: Sequence[Any] = ()) -> Any:
        """A statement of the admin's."""
        return self.request("/v1/sql", {"sql": text, "params": list(params)})

    def connect(self, load: Load, topics: Sequence[Sequence[int]], *, subscribe: bool = True) -> None:
        """As others; each user's clients are spread over all of them."""
        texts = [json.dumps({"type": "authenticate", "token": token}) for token in self.tokens]
        load.call("open", self.port, ["/v1/live"] * len(topics), texts, '"authenticated"')
        if subscribe:
            self.subscribe(load, topics)

    def subscribe(self, load: Load, topics: Sequence[Sequence[int]]) -> None:
        """A live query for each topic."""

        def text(number: int, topic: int) -> str:
            sql = "SELECT * FROM events WHERE topic = ?"
            return json.dumps({"type": "subscribe", "id": number, "sql": sql, "params": [topic], "last_rows": 0})

        load.call(
            "say", [[text(number, topic) for number, topic in enumerate(mine)] for mine in topics], '"op":"ready"'
        )


class Nchan(Server):
    """nginx with nchan, one process."""

    def __init__(self, folder: str, *, kept: int = 10) -> None:
        (port,) = free_ports(1)
        places = "".join(
            f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config = Path(folder, "nginx.conf")
        config.write_text(
            f"""load_module {nchan()}; daemon off; master_process off; pid {folder}/pid; error_log stderr crit; worker_rlimit_nofile 20000;
            events {{ worker_connections 16000; }}
            http {{ access_log off; {places} keepalive_requests 100000000; client_body_buffer_size 64k; nchan_shared_memory_size 256m;
              server {{ listen {HOST}:{port} backlog=4096;
                location /pub {{ nchan_publisher http; nchan_channel_id $arg_id; nchan_message_buffer_length {kept}; }}
                location /sub {{ nchan_subscriber websocket; nchan_channel_id $arg_id; nchan_channel_id_split_delimiter ",";
                  nchan_subscriber_first_message newest; }}
            }} }}""",
            "utf-8",
        )
        super().__init__("nchan", [nginx(), "-p", folder, "-c", str(config)], port)

    def connect(self, load: Load, topics: Sequence[Sequence[int]], *, subscribe: bool = True) -> None:  # noqa: ARG002 - it is by the address
        """The topics are in the address."""
        paths = [f"/sub?id={','.join(map(str, mine))}" for mine in topics]
        load.call("open", self.port, paths, [], "", "quick")

    def subscribe(self, load: Load, topics: Sequence[Sequence[int]]) -> None:
        """They do already."""


class Broadcast(Server):
    """`websockets.broadcast`."""

    def __init__(self, _folder: str, *, loop: str = "asyncio") -> None:
        port, publications = free_ports(2)
        argv = [sys.executable, "-m", "benchmarks.live.broadcasting", str(port), str(publications), loop]
        super().__init__("websockets", argv, port, publications)


def nginx() -> str:
    """Its path; "" if it is nowhere."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin") or ""


def nchan() -> str:
    """The path of its module for nginx; "" if it is nowhere."""
    found = (f"{folder}/ngx_nchan_module.so" for folder in MODULES)
    return next((path for path in found if os.path.exists(path)), "")


@functools.cache
def no_nchan() -> str:
    """What of nchan is missing, in words."""
    return "" if nginx() and nchan() else "not installed: nginx with nchan (apt install nginx-light libnginx-mod-nchan)"


@functools.cache
def folder_of_server() -> str:
    """A folder for the server of this process, which is deleted when it ends."""
    folder = tempfile.mkdtemp(prefix="flatwater-bench-")
    remover(folder)
    return folder


@contextlib.contextmanager
def serving(server: Server, *loads: Load) -> Iterator[Server]:
    """Stop it at the end, and the load clients."""
    try:
        yield server
    finally:
        server.stop()
        for load in loads:
            load.close()


def users_of(subscriptions: int) -> int:
    """How many of our users it takes."""
    return -(-subscriptions // PER_USER)


def started(name: str, *, users: int = 1) -> Server:
    """One of them by its name."""
    folder = folder_of_server()
    match name:
        case "flatwater serve":
            return Flatwater(folder, users=users)
        case "nchan in nginx":
            return Nchan(folder)
        case "websockets.broadcast":
            return Broadcast(folder)
    return Broadcast(folder, loop="uvloop")


def contestants(case: Any, setup: Callable[[str, int], Any], *names: str, **options: Any) -> None:
    """Register some of them with the same work."""
    for name in names:
        needs = {OURS: NEEDS, NCHAN: (), BROADCAST: ("websockets",), BROADCAST_UV: ("websockets", "uvloop")}[name]
        absent = no_nchan if name == NCHAN else str
        case.contestant(name, needs=needs, absent=absent, **options)(functools.partial(setup, name))
