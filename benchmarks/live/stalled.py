"""One client among 20 does not read while 80 MB go by for each of them: what the server holds for it, and what the others notice.

The next five changes of 4 KB are published when all the others have those before. Growth is that of memory in nobody's file, nginx's shared
memory included, above what was held when the client stopped; the highest sample counts. Then it reads on: what does not come any more is lost.
"""

from __future__ import annotations

import threading
from functools import partial

from benchmarks.case import CPU, Bar, Case, Run
from benchmarks.live import servers
from benchmarks.live.load import Load
from benchmarks.live.servers import BROADCAST, NCHAN, OURS, Server

ALL_READ = "flatwater serve, all read"
CLIENTS, ROWS, BODY_BYTES = 20, 5, 3_900
SAMPLE_S = 0.05
TOPIC = 1

case = Case(
    "80 MB for each of 20 clients, one of which does not read.",
    size=80, tiny=1, per="MB", unit="ms", commands=True,
    figures={
        "growth_kib": "KiB grown", "share_percent": "% the others got", "lost": "lost", "twice": "twice", "resets": "begun anew",
        "after_kib": "KiB grown at the end",
    },
    bars=(
        Bar("a client who does not read takes at most 64 KiB", 64, "KiB", lambda outcome: outcome.figure(OURS, "growth_kib")),
        Bar("the others get all, in at most 1.2 times the time", 1.2, "x", lambda outcome: slower(outcome)),  # noqa: PLW0108 - it is below
        Bar("nothing is lost when it reads on", 0, "messages", lambda outcome: outcome.figure(OURS, "lost")),
    ),
)  # fmt: skip


def slower(outcome: object) -> float:
    """How many times as long it takes where one does not read; without end where the others did not get all."""
    from benchmarks.outcome import Outcome

    assert isinstance(outcome, Outcome)
    all_came = outcome.figure(OURS, "share_percent") == 100  # noqa: PLR2004 - %
    return outcome.figure(OURS, "published_s") / outcome.figure(ALL_READ, "published_s") if all_came else float("inf")


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
    warm = max(1, bursts // 5)

    def run() -> dict[str, float]:
        with servers.serving(server, load):
            load.call("bursts", warm, ROWS, CLIENTS, TOPIC)
            cpu = server.cpu_s()
            if stalls:
                load.call("stall", 0)
            watched = Watched(server)
            found = load.call("bursts", bursts, ROWS, CLIENTS - stalls, TOPIC)
            growth = watched.end()
            read = load.call("read_on", 0, bursts * ROWS, 5.0) if stalls else {"count": bursts * ROWS, "twice": 0, "resets": 0}
            return {
                CPU: server.cpu_s() - cpu, "growth_kib": growth, "share_percent": 100 * found["share"], "published_s": found["wall_s"],
                "lost": bursts * ROWS - read["count"], "twice": read["twice"], "resets": read["resets"],
                "after_kib": (server.held_bytes() - watched.begin) / 1024,
            }  # fmt: skip

    return run


case.figures["published_s"] = "s to publish"
servers.contestants(case, stalled, OURS)
case.contestant(ALL_READ, needs=servers.NEEDS)(partial(stalled, OURS, stalls=False))
servers.contestants(case, stalled, NCHAN, BROADCAST)
