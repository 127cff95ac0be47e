"""The deep size of one object: what it costs to ask, and how near the answer is to what the process grew by."""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks.case import Case, Run

from flatwater.meter import Probe

case = Case(
    "The deep size of a list of rows; told / seen compares it with the growth in anonymous memory.",
    size=20_000,
    tiny=200,
    per="row",
    unit="us",
    figures={"told_mib": "told, MiB", "told_of_seen": "told / seen"},
)


def told_by(deep_bytes: Callable[[object], int], size: int) -> Run:
    """Make the object, see what it costs, and ask."""
    deep_bytes([{"warm": "up"}])
    with Probe() as probe:
        before = probe.read()[1]
        rows = [{"id": 1_000_000 + i, "name": f"name {i}", "tags": [f"tag {i}", "new"]} for i in range(size)]
        seen = max(probe.read()[1] - before, 1)

    def run() -> dict[str, float]:
        told = deep_bytes(rows)
        return {"told_mib": told / (1 << 20), "told_of_seen": told / seen}

    return run


@case.contestant("pympler.asizeof", needs=("pympler",))
def asizeof(size: int) -> Run:
    from pympler import asizeof

    return told_by(asizeof.asizeof, size)


@case.contestant("objsize", needs=("objsize",))
def objsize(size: int) -> Run:
    import objsize

    return told_by(objsize.get_deep_size, size)


@case.contestant("fw.size_of")
def size_of(size: int) -> Run:
    import flatwater as fw

    return told_by(lambda rows: fw.size_of(rows).deep, size)


@case.contestant("sizing.heap_bytes")
def heap_bytes(size: int) -> Run:
    from flatwater import sizing

    return told_by(sizing.heap_bytes, size)


@case.contestant("sys.getsizeof")
def getsizeof(size: int) -> Run:
    return told_by(sys.getsizeof, size)
