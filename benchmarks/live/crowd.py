"""The load that was asked for: 1,000 users with 10 queries a second each, and 100 notifications a second for 10,000 subscribers.

That is 10,000 queries and a million messages a second, asked of two cores, of which the load client has one. What is reached is told, each
alone, then both at once, and how old messages are, as every hundredth client sees it. `cores` is what the whole load takes by the CPU that a
query and a message took alone. One server is one interpreter, which uses one core: it says how many servers' worth the load is, not what one
does on a larger machine. Peers have no queries; theirs is for the messages alone.
"""

from __future__ import annotations

import time

from benchmarks.case import CPU, Case, Run
from benchmarks.live import servers
from benchmarks.live.load import Load
from benchmarks.live.servers import BROADCAST, NCHAN, OURS, Flatwater

USERS, NOTIFICATIONS = 1_000, 100.0
QUERIES_WANTED, MESSAGES_WANTED = 10_000, 1_000_000
SECONDS, TINY_SECONDS, LARGE = 10.0, 0.3, 1_000
CONNECTIONS = 32  # that ask at once
TOPIC = 0

case = Case(
    "1,000 users with 10 queries a second each, 100 notifications a second for 10,000 subscribers: what is reached.",
    size=10_000, tiny=50, commands=True,
    figures={
        "messages_s": "messages a second", "message_us": "CPU us a message", "p50_ms": "p50 ms", "held_mb": "MB held behind", "queries_s": "queries a second", "query_us": "CPU us a query",
        "both_messages_s": "messages beside queries", "both_queries_s": "queries beside messages", "both_p50_ms": "p50 ms of these messages", "cores": "cores for all of it",
    },
)  # fmt: skip


def crowded(name: str, size: int) -> Run:
    """Before one of them."""
    seconds = SECONDS if size >= LARGE else TINY_SECONDS
    server = servers.started(name, users=min(USERS, size))
    readers, publisher, asking = Load(), Load(), Load()
    server.connect(readers, [[TOPIC]] * size)
    server.publish(publisher)
    publisher.call("publish_for", seconds / 10, NOTIFICATIONS, 1)
    readers.call("listen", seconds / 3)

    def phase(*, notifies: bool, asks: bool) -> tuple[float, float, float, float]:
        """Messages a second, queries a second, CPU seconds of a second; the median of messages' delays in ms."""
        cpu, begin = server.cpu_s(), time.monotonic()
        readers.start("listen", seconds, max(1, size // 100))
        if notifies:
            publisher.start("publish_for", seconds, NOTIFICATIONS, 1)
        if asks:
            asking.start("ask_for", seconds, 0, CONNECTIONS, server.port, server.token)
        heard = readers.result()
        used, took = server.cpu_s() - cpu, time.monotonic() - begin
        asked = asking.result()["count"] if asks else 0
        if notifies:
            publisher.result()
            readers.call("listen", seconds / 3)
        return heard["count"] / took, asked / took, used / took, heard["p50_ms"]

    def run() -> dict[str, float]:
        with servers.serving(server, readers, publisher, asking):
            cpu = server.cpu_s()
            messages_s, _, busy, delay_ms = phase(notifies=True, asks=False)
            found = {
                "held_mb": server.held_bytes() / 1e6,
                "messages_s": messages_s,
                "p50_ms": delay_ms,
                "message_us": busy / max(messages_s, 1) * 1e6,
            }
            found["cores"] = MESSAGES_WANTED * found["message_us"] / 1e6
            if isinstance(server, Flatwater):
                _, queries_s, busy, _ = phase(notifies=False, asks=True)
                found |= {"queries_s": queries_s, "query_us": busy / queries_s * 1e6}
                found["cores"] += QUERIES_WANTED * found["query_us"] / 1e6
                found["both_messages_s"], found["both_queries_s"], _, found["both_p50_ms"] = phase(
                    notifies=True, asks=True
                )
            return {CPU: server.cpu_s() - cpu, **found}

    return run


servers.contestants(case, crowded, OURS, NCHAN, BROADCAST)
