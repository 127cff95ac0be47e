"""How long it takes from a crossed threshold to the first line of a shedder."""

from __future__ import annotations

import statistics
from functools import partial

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome

SLEEPING, BUSY = "sleeping", "busy"


def longest(mode: str, outcome: Outcome) -> float:
    """Milliseconds."""
    return outcome.figure(mode, "longest_ms")


case = Case(
    "From before the allocation that crosses the critical threshold to the shedder's first line, at random moments of "
    "the sampling period, beside threads that sleep or compute.",
    size=20,
    tiny=1,
    figures={"median_ms": "median, ms", "longest_ms": "longest, ms"},
    bars=tuple(
        Bar(
            f"a `Watcher` sheds at most 50 ms after the threshold, the program {mode}", 50, "ms", partial(longest, mode)
        )
        for mode in (SLEEPING, BUSY)
    ),
)


def delays(size: int, *, mode: str) -> Run:
    from benchmarks.watch import watcher_overhead

    watcher_overhead.DELAYS = size

    def run() -> dict[str, float]:
        found_ms = watcher_overhead.delays(mode)
        return {"median_ms": statistics.median(found_ms), "longest_ms": max(found_ms)}

    return run


for mode in (SLEEPING, BUSY):
    case.contestant(mode)(partial(delays, mode=mode))
