"""What it costs to say how many heap bytes a row takes, and how near that is to what the process grew by."""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks.case import Case, Run

from flatwater.meter import Probe

case = Case(
    "The heap bytes of rows like those of a query, one at a time; told / seen compares the sum with the growth in "
    "anonymous memory.",
    size=20_000,
    tiny=100,
    per="row",
    unit="us",
    figures={"bytes_per_row": "bytes told", "told_of_seen": "told / seen"},
)


def row_of(number: int) -> dict[str, object]:
    """Six columns, with what rows share and what they do not."""
    return {
        "id": 1_000_000 + number,
        "customer": f"customer {number}",
        "status": "shipped",
        "cents": number * 1.25,
        "tags": [f"tag {number}", "new"],
        "note": None,
    }


def told_by(size_of: Callable[[object], int], size: int) -> Run:
    """Make the rows, see what they cost, and ask for each."""
    for number in range(100):
        size_of(row_of(number))  # imports and calibration are not asked about
    with Probe() as probe:
        before = probe.read()[1]
        rows = [row_of(number) for number in range(size)]
        seen = max(probe.read()[1] - before, 1)

    def run() -> dict[str, float]:
        told = sum(map(size_of, rows))
        return {"bytes_per_row": told / size, "told_of_seen": told / seen}

    return run


@case.contestant("sys.getsizeof")
def getsizeof(size: int) -> Run:
    return told_by(sys.getsizeof, size)


@case.contestant("Sizer.row")
def sizer(size: int) -> Run:
    from flatwater.sizing import Sizer

    return told_by(Sizer().row, size)


@case.contestant("sizing.heap_bytes")
def heap_bytes(size: int) -> Run:
    from flatwater import sizing

    return told_by(sizing.heap_bytes, size)


@case.contestant("pympler.asizeof", needs=("pympler",))
def asizeof(size: int) -> Run:
    from pympler import asizeof

    return told_by(asizeof.asizeof, size)


@case.contestant("objsize", needs=("objsize",))
def objsize(size: int) -> Run:
    import objsize

    return told_by(objsize.get_deep_size, size)
