"""A service with a cache that leaks, under load, below a kernel limit: with the watcher it lives, and without it it is killed.

The size is seconds, ten minutes. The service is Starlette behind uvicorn, 256 MiB are all that the kernel gives it, and each page that is asked for stays in
a dict. A third one has the watcher and nothing that it could empty: it has to refuse. Eight clients ask one request after the other, each for a page that nobody asked for before. An answer is 200, or 503 with `Retry-After`, or it failed.
"""

from __future__ import annotations

import http.client
import socket
import sys
import threading
import time
from functools import partial
from pathlib import Path

from benchmarks.case import Bar, Case, Run

from flatwater.units import MIB
from flatwater.worker.command import Command
from flatwater.worker.limit import make_limit

WATCHED, KEEPING, BARE = "with the watcher", "with it, and nothing to empty", "without it"
LIMIT, BUDGET = "256 MiB", "192 MiB"
PROGRAM = Path(__file__).parents[1] / "programs" / "service.py"
CLIENTS = 8
PAGE_BYTES = 32_768
START_S = 30.0
PAUSE_S = 0.01  # of a client between two requests: about 500 of them a second, 16 MB a second that stay
NEEDS = ("starlette", "uvicorn", "prometheus_client")

case = Case(
    "A service whose cache keeps every page, below a kernel limit of 256 MiB, under load for ten minutes.",
    size=600, tiny=2, commands=True, patience=4,
    figures={
        "lived_s": "seconds it lived", "taken": "answered with 200", "refused": "answered with 503", "failed": "failed", "peak_mib": "MiB at most",
        "missed_s": "seconds missed", "lived_share": "share of the time",
    },
    bars=(
        Bar("with the watcher, no request fails but by 503", 0, "", lambda outcome: outcome.figure(WATCHED, "failed")),
        Bar("it lives to the end", 0, "s missed", lambda outcome: outcome.figure(WATCHED, "missed_s")),
        Bar("where nothing can be emptied, neither", 0, "", lambda outcome: outcome.figure(KEEPING, "failed")),
        Bar("and it lives to the end, too", 0, "s missed", lambda outcome: outcome.figure(KEEPING, "missed_s")),
        Bar("without the watcher it is killed before a tenth of the time", 0.1, "x", lambda outcome: outcome.figure(BARE, "lived_share")),
    ),
)  # fmt: skip


class Asking:
    """What clients were answered."""

    def __init__(self) -> None:
        self.taken = self.refused = self.failed = 0
        self.stop = threading.Event()
        self.lock = threading.Lock()

    def ask(self, port: int, number: int) -> None:
        """One client: a request, a pause, the next; a connection that the server closed is opened again."""
        connection, count = None, 0
        while not self.stop.is_set():
            count += 1
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                connection.request("GET", f"/{number}/{count}")
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                self.count("failed")
                connection.close()
                connection = None
                time.sleep(PAUSE_S)
                continue
            is_refused = answer.status == 503 and answer.headers["Retry-After"] is not None
            self.count("taken" if answer.status == 200 else "refused" if is_refused else "failed")
            if answer.will_close:
                connection.close()
                connection = None
            time.sleep(PAUSE_S * 10 if is_refused else PAUSE_S)
        if connection is not None:
            connection.close()

    def count(self, what: str) -> None:
        """One more."""
        with self.lock:
            setattr(self, what, getattr(self, what) + 1)


def served(size: int, *, budget: str, keep: str = "") -> Run:
    """The service, asked for so many seconds or until it is killed."""

    def run() -> dict[str, float]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with make_limit(LIMIT, name="service") as group:
            data_limit = 256 * MIB if group.kind == "rlimit_data" else 0
            argv = [sys.executable, str(PROGRAM), str(port), str(PAGE_BYTES), budget, *([keep] if keep else [])]
            with Command(argv, procs_file=group.procs_file(), data_limit_bytes=data_limit) as command:
                _await_port(port)
                asking = Asking()
                clients = [threading.Thread(target=asking.ask, args=(port, n)) for n in range(CLIENTS)]
                begin = time.monotonic()
                for client in clients:
                    client.start()
                peak = lived_s = 0.0
                while (lived_s := time.monotonic() - begin) < size:
                    peak = max(peak, group.usage_bytes())
                    if command.poll() is not None:
                        break
                    time.sleep(0.02)
                asking.stop.set()
                for client in clients:
                    client.join()
                command.kill_tree()
                while command.poll() is None:
                    time.sleep(0.01)
        return {
            "lived_s": lived_s, "missed_s": max(0.0, size - lived_s), "lived_share": lived_s / size, "taken": asking.taken,
            "refused": asking.refused, "failed": asking.failed, "peak_mib": peak / MIB,
        }  # fmt: skip

    return run


def _await_port(port: int) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


case.contestant(WATCHED, needs=NEEDS)(partial(served, budget=BUDGET))
case.contestant(KEEPING, needs=NEEDS)(partial(served, budget=BUDGET, keep="keep"))
case.contestant(BARE, needs=NEEDS)(partial(served, budget="-"))
