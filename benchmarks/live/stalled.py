"""One client among 20 does not read while 80 MB go by for each of them: what the server holds for it, and what the others notice.

The next five changes of 4 KB are published when all the others have those before. Growth is that of memory in nobody's file, nginx's shared
memory included, above what was held when the client stopped; the highest sample counts. Then it reads on: what does not come any more is lost.
All of this is done twice, each time behind as much that all read: threads that read the log come into being once, whoever is slow, and so does
what it takes to trim the log, which is full by then.
"""

from __future__ import annotations

import math
import threading
from functools import partial

from benchmarks.case import CPU, Bar, Case, Run
from benchmarks.live import servers
from benchmarks.live.load import SILENCE_S, Load
from benchmarks.live.servers import BROADCAST, NCHAN, OURS, Server
from benchmarks.outcome import Outcome

ALL_READ = "flatwater serve, all read"
CLIENTS, ROWS, BODY_BYTES = 20, 5, 3_900
SAMPLE_S = 0.05
TOPIC = 1


def slower(outcome: Outcome) -> float:
    """How many times as long it takes where one does not read; without end where the others did not get all."""
    all_came = outcome.figure(OURS, "share_percent") == 100
    return outcome.figure(OURS, "published_s") / outcome.figure(ALL_READ, "published_s") if all_came else math.inf


case = Case(
    "80 MB for each of 20 clients, one of which does not read.",
    size=80, tiny=1, per="MB", unit="ms", commands=True,
    figures={
        "growth_kib": "KiB grown", "first_kib": "the first time", "share_percent": "% the others got", "published_s": "s to publish", "read_s": "s to read on",
        "lost": "lost", "twice": "twice", "resets": "begun anew",
    },
    bars=(
        Bar("a client who does not read takes at most 64 KiB", 64, "KiB", lambda outcome: outcome.figure(OURS, "growth_kib")),
        Bar("the others get all, in at most 1.2 times the time", 1.2, "x", slower),
        Bar("nothing is lost when it reads on", 0, "messages", lambda outcome: outcome.figure(OURS, "lost")),
    ),
)  # fmt: skip


class Watched:
    """The highest of what a server holds, sampled by a thread."""

    def __init__(self, server: Server) -> None:
        self.begin = self.highest = server.held_bytes()
        self._server, self._ending = server, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ending.wait(SAMPLE_S):
            self.highest = max(self.highest, self._server.held_bytes())

    def end(self) -> float:
        """KiB above the begin."""
        self._ending.set()
        self._thread.join()
        return (max(self.highest, self._server.held_bytes()) - self.begin) / 1024


def stalled(name: str, size: int, *, stalls: bool = True) -> Run:
    """With one of them."""
    load, server = Load(), servers.started(name)
    server.connect(load, [[TOPIC]] * CLIENTS)
    server.publish(load, BODY_BYTES)
    bursts = size * 1_000_000 // (BODY_BYTES + 100) // ROWS

    def once(bursts: int) -> tuple[dict[str, float], dict[str, float], float]:
        """So many changes while one does not read, and what it reads then; KiB grown meanwhile."""
        if stalls:
            load.call("stall", 0)
        watched = Watched(server)
        found = load.call("bursts", bursts, ROWS, CLIENTS - stalls, TOPIC)
        growth = watched.end()
        return (
            found,
            load.call("read_on", 0, bursts * ROWS, SILENCE_S)
            if stalls
            else {"count": bursts * ROWS, "twice": 0, "resets": 0, "wall_s": 0.0},
            growth,
        )

    def run() -> dict[str, float]:
        with servers.serving(server, load):
            load.call("bursts", bursts, ROWS, CLIENTS, TOPIC)
            _, _, first = once(bursts)
            load.call("bursts", bursts, ROWS, CLIENTS, TOPIC)
            cpu = server.cpu_s()
            found, read, growth = once(bursts)
            return {
                CPU: server.cpu_s() - cpu, "growth_kib": growth, "first_kib": first, "share_percent": 100 * found["share"],
                "published_s": found["wall_s"], "lost": bursts * ROWS - read["count"], "twice": read["twice"], "resets": read["resets"], "read_s": read["wall_s"],
            }  # fmt: skip

    return run


servers.contestants(case, stalled, OURS)
case.contestant(ALL_READ, needs=servers.NEEDS)(partial(stalled, OURS, stalls=False))
servers.contestants(case, stalled, NCHAN, BROADCAST)
