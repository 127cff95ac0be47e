"""What a server spends on a change that 500 subscribers get, one change at a time and in bursts.

A client waits until everybody has a change, or a burst of 20, before it publishes the next: nothing is put together that does not come
together. The cost of a served database holds the request, the statement, its commit on disk and the match; "above" is what is left when the
same inserts without subscribers are taken off. nchan gets a POST for each message, `websockets` reads them from a socket.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.case import CPU, Bar, Case, Run
from benchmarks.live import servers
from benchmarks.live.load import Load
from benchmarks.live.servers import BROADCAST, BROADCAST_UV, NCHAN, OURS
from benchmarks.outcome import Outcome

SUBSCRIBERS, BURST = 500, 20
NOBODY, EVERYBODY = 2, 1  # topics
WARM = 5  # rounds before


def figure(name: str) -> Callable[[Outcome], float]:
    """One of ours."""
    return lambda outcome: outcome.figure(OURS, name)


case = Case(
    f"A change of about 300 bytes to {SUBSCRIBERS} subscribers, one at a time, then {BURST} at once: CPU of the server.",
    size=1_000, tiny=20, commands=True,
    figures={
        "single_us": "CPU us a message", "single_above_us": "above the inserts", "burst_us": "in bursts, us", "burst_above_us": "above the inserts",
        "insert_us": "us an insert", "client_us": "us of the client",
    },
    bars=(
        Bar("a message to one of many subscribers takes at most 10 us, its share of the insert included", 10, "us", figure("single_us")),
        Bar("in bursts of 20 changes at most 1.5 us, its share of the inserts included", 1.5, "us", figure("burst_us")),
    ),
)  # fmt: skip


def delivered(name: str, size: int) -> Run:
    """By one of them."""
    count = min(SUBSCRIBERS, 2 * size)
    load, server = Load(), servers.started(name)
    server.connect(load, [[EVERYBODY]] * count)
    server.publish(load)
    load.call("bursts", WARM, 1, count, EVERYBODY)
    load.call("bursts", WARM, BURST, count, EVERYBODY)

    def cost(changes: int, burst: int, readers: int, topic: int) -> tuple[float, float]:
        """CPU seconds of the server, and of the client."""
        begin = server.cpu_s()
        found = load.call("bursts", changes // burst, burst, readers, topic)
        assert found["share"] == 1
        return server.cpu_s() - begin, found["cpu_s"]

    def run() -> dict[str, float]:
        with servers.serving(server, load):
            alone_s, _ = cost(size, 1, 0, NOBODY)
            single_s, client_s = cost(size, 1, count, EVERYBODY)
            alone_burst_s, _ = cost(2 * size, BURST, 0, NOBODY)
            burst_s, _ = cost(2 * size, BURST, count, EVERYBODY)
        messages = size * count / 1e6
        return {
            CPU: single_s + burst_s, "single_us": single_s / messages, "single_above_us": (single_s - alone_s) / messages,
            "burst_us": burst_s / messages / 2, "burst_above_us": (burst_s - alone_burst_s) / messages / 2,
            "insert_us": alone_s / size * 1e6, "client_us": client_s / messages,
        }  # fmt: skip

    return run


servers.contestants(case, delivered, OURS, NCHAN, BROADCAST, BROADCAST_UV)
