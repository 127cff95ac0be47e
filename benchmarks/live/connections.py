"""What a connection takes that says nothing: known to the server, then with one subscription to a topic of its own.

Only memory in nobody's file is counted, nginx's shared memory included; the kernel takes about 4 KiB more for each end of a socket, of every
server the same. A client of nchan has its topic from the beginning: it is connected twice, to one topic for all and to one for each.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.case import CPU, Bar, Case, Run
from benchmarks.live import servers
from benchmarks.live.load import Load
from benchmarks.live.servers import BROADCAST, NCHAN, OURS, Server

case = Case(
    "8,000 connections that say nothing: memory of the server.",
    size=8_000, tiny=50, per="connection", unit="ms", commands=True,
    figures={"idle_bytes": "bytes each", "subscribed_bytes": "with a subscription"},
    bars=(
        Bar("a connection that is known and says nothing takes at most 2 KiB", 2_048, "B", lambda outcome: outcome.figure(OURS, "idle_bytes")),
    ),
)  # fmt: skip


def connected(name: str, size: int) -> Run:
    """To one of them."""
    server, warm, load = servers.started(name, users=servers.users_of(size)), Load(), Load()
    server.connect(warm, [[0]])  # what the first one takes is the server's
    warm.close()
    apart: Sequence[Sequence[int]] = [[number] for number in range(1, size + 1)]
    other = servers.Nchan(servers.folder_of_server()) if name == NCHAN else None

    def grown(server: Server, topics: Sequence[Sequence[int]], *, subscribe: bool) -> float:
        """Bytes of each."""
        begin = server.held_bytes()
        server.connect(load, topics, subscribe=subscribe)
        return (server.held_bytes() - begin) / size

    def run() -> dict[str, float]:
        with servers.serving(server, load):
            cpu, begin = server.cpu_s(), server.held_bytes()
            idle = grown(server, [[0]] * size, subscribe=False)
            if other is None:
                server.subscribe(load, apart)
                both = (server.held_bytes() - begin) / size
            else:
                with servers.serving(other):
                    both = grown(other, apart, subscribe=True)
            return {CPU: server.cpu_s() - cpu, "idle_bytes": idle, "subscribed_bytes": both}

    return run


servers.contestants(case, connected, OURS, NCHAN, BROADCAST)
