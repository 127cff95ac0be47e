"""How long a change is on its way: from when it is to be inserted until a client has read it, at 5,000 messages a second.

Of 4,000 connections each follows 10 topics, 40,000 subscriptions; each of 500 inserts a second is for one topic, which 10 of them follow. The
publisher has 20 connections, and waits on each for an insert to be on the disk. A change is as old as the moment at which its insert was due;
the clock is that of the machine, on which all of this runs.
"""

from __future__ import annotations

from benchmarks.case import CPU, Case, Run
from benchmarks.live import servers
from benchmarks.live.load import Load
from benchmarks.live.servers import BROADCAST, NCHAN, OURS

TOPICS = 10  # that a client follows, and clients that follow a topic
LARGE = 1_000  # connections from which on it runs for its full time
RATE, SECONDS = 500.0, 20.0
DRAIN_S = 1.0

case = Case(
    "500 inserts a second for 10 of 4,000 clients each, with 40,000 subscriptions: how long a change is on its way.",
    size=4_000, tiny=20, commands=True,
    figures={
        "p50_ms": "p50 ms", "p95_ms": "p95 ms", "p99_ms": "p99 ms", "message_us": "CPU us a message", "messages_s": "messages a second",
        "missed": "did not come", "late_ms": "late by ms at most", "client_percent": "% CPU of the client",
    },
)  # fmt: skip


def followed(size: int) -> list[list[int]]:
    """The topics of each client, spread so that each topic has as many."""
    step = max(1, size // TOPICS)
    return [[(number + step * turn) % size for turn in range(TOPICS)] for number in range(size)]


def delayed(name: str, size: int) -> Run:
    """By one of them."""
    rate, seconds = (RATE, SECONDS) if size >= LARGE else (RATE / 5, 0.5)
    server = servers.started(name, users=servers.users_of(size * TOPICS))
    readers, publisher = Load(), Load()
    server.connect(readers, followed(size))
    server.publish(publisher)
    publisher.call("publish_for", seconds / 10, rate, 1)
    readers.call("listen", DRAIN_S if size >= LARGE else 0.1)

    def run() -> dict[str, float]:
        with servers.serving(server, readers, publisher):
            cpu = server.cpu_s()
            readers.start("listen", seconds + DRAIN_S / 2, 1)
            published = publisher.call("publish_for", seconds, rate, size)
            found = readers.result()
            used = server.cpu_s() - cpu
        return {
            CPU: used, **{name: found[name] for name in ("p50_ms", "p95_ms", "p99_ms")}, "message_us": used / found["count"] * 1e6,
            "messages_s": found["count"] / seconds, "missed": published["count"] * TOPICS - found["count"], "late_ms": published["late_s"] * 1e3,
            "client_percent": 100 * found["cpu_s"] / seconds,
        }  # fmt: skip

    return run


servers.contestants(case, delayed, OURS, NCHAN, BROADCAST)
