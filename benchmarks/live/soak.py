"""Ten minutes of work, or an hour: 10,000 subscriptions, 1,000 queries and 1,000 messages a second; by how much the server's memory grows.

The size is seconds: `--size 3600` is the long way. Memory in nobody's file is sampled every half second; its growth is
the slope of a line through the samples of the last two thirds of the time. Who is idle has the same subscriptions, and nothing happens,
for five minutes at most.
"""

from __future__ import annotations

import json
import time
from functools import partial

from benchmarks.case import CPU, Bar, Case, Run
from benchmarks.live import servers
from benchmarks.live.latency import TOPICS, followed
from benchmarks.live.load import Load
from benchmarks.live.servers import OURS, Flatwater

IDLE = "flatwater serve, idle"
CONNECTIONS, QUERIES, INSERTS = 1_000, 1_000.0, 100.0
SLICE_S = 600.0  # after which everybody gets a new token
IDLE_S = 300.0
LONG_S = 30  # from which on the numbers above hold
SAMPLE_S = 0.5

case = Case(
    "10,000 subscriptions, 1,000 queries and 1,000 messages a second, for ten minutes: growth of the server's memory.",
    size=600, tiny=1, commands=True, patience=8,
    figures={
        "growth_mb": "MB grown a minute", "held_mb": "MB held at the end", "queries_s": "queries a second", "messages_s": "messages a second",
        "query_p99_ms": "p99 ms of a query", "cpu_percent": "% of a core",
    },
    bars=(
        Bar("memory grows by at most 1 MB a minute", 1, "MB", lambda outcome: outcome.figure(OURS, "growth_mb")),
    ),
)  # fmt: skip


def slope(samples: list[tuple[float, int]]) -> float:
    """MB a minute, by least squares."""
    count = len(samples)
    middle_s, middle = sum(at for at, _ in samples) / count, sum(held for _, held in samples) / count
    square = sum((at - middle_s) ** 2 for at, _ in samples)
    return sum((at - middle_s) * (held - middle) for at, held in samples) / max(square, 1e-9) * 60 / 1e6


def soaked(size: int, *, works: bool = True) -> Run:
    """Ours, at work or idle."""
    length_s = size if works else min(size, IDLE_S)
    connections = CONNECTIONS if size >= LONG_S else 20
    queries, inserts = (QUERIES, INSERTS) if size >= LONG_S else (100.0, 20.0)
    server = servers.started(OURS, users=servers.users_of(connections * TOPICS))
    assert isinstance(server, Flatwater)
    readers, publisher, asking = Load(), Load(), Load()
    server.connect(readers, followed(connections))
    server.publish(publisher)
    publisher.call("publish_for", min(1.0, size / 10), 200.0, connections)
    readers.call("listen", min(0.5, size / 10))

    def run() -> dict[str, float]:
        samples: list[tuple[float, int]] = []
        count = asked = p99_ms = 0.0
        with servers.serving(server, readers, publisher, asking):
            cpu, begin = server.cpu_s(), time.monotonic()
            while (left := begin + length_s - time.monotonic()) > SAMPLE_S / 2:
                seconds = min(left, SLICE_S)
                server.renew()
                readers.call("speak", [json.dumps({"type": "authenticate", "token": token}) for token in server.tokens])
                readers.start("listen", seconds)
                if works:
                    server.publish(publisher)
                    publisher.start("publish_for", seconds, inserts, connections)
                    asking.start("ask_for", seconds, queries, 8, server.port, server.token)
                until = time.monotonic() + seconds
                while time.monotonic() < until:
                    samples.append((time.monotonic(), server.held_bytes()))
                    time.sleep(SAMPLE_S)
                count += readers.result()["count"]
                if works:
                    publisher.result()
                    found = asking.result()
                    asked, p99_ms = asked + found["count"], max(p99_ms, found["p99_ms"])
            used, took = server.cpu_s() - cpu, time.monotonic() - begin
        return {
            CPU: used, "growth_mb": slope(samples[len(samples) // 3 :]), "held_mb": samples[-1][1] / 1e6, "queries_s": asked / took,
            "messages_s": count / took, "query_p99_ms": p99_ms, "cpu_percent": 100 * used / took,
        }  # fmt: skip

    return run


case.contestant(OURS, needs=servers.NEEDS)(soaked)
case.contestant(IDLE, needs=servers.NEEDS)(partial(soaked, works=False))
