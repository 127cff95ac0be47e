"""What a watcher takes from the program it watches."""

from __future__ import annotations

from functools import partial

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome

TURNS = 100_000  # pure Python that takes about as long as one sample's period
SLEEPING, BUSY = "sleeping", "busy"


def of_thread(mode: str, outcome: Outcome) -> float:
    """Percent of one CPU that the watcher's thread took."""
    return outcome.figure(f"{mode}, watched", "thread_percent")


case = Case(
    "A program that sleeps and one that computes, alone, beside a thread that only waits 10 ms at a time, and beside "
    "`fw.Watcher`; the thread's own CPU clock is not disturbed by what the program does.",
    size=300,
    tiny=5,
    figures={"thread_percent": "the thread, % of one CPU"},
    bars=tuple(
        Bar(
            f"a `Watcher` at 10 ms takes at most 1 % of one CPU, the program {mode}", 1.0, "%", partial(of_thread, mode)
        )
        for mode in (SLEEPING, BUSY)
    ),
)


def run_of(size: int, *, mode: str, beside: str) -> Run:
    from benchmarks.watch import watcher_overhead

    watcher_overhead.RUN_S = size / 100

    def run() -> dict[str, float]:
        seen = watcher_overhead.one_run(mode, size * TURNS, beside)
        return {"thread_percent": 100 * seen["thread_s"] / seen["wall_s"]}

    return run


for mode in (SLEEPING, BUSY):
    case.contestant(f"{mode}, alone")(partial(run_of, mode=mode, beside="alone"))
    case.contestant(f"{mode}, a thread that only waits")(partial(run_of, mode=mode, beside="waiting"))
    case.contestant(f"{mode}, watched")(partial(run_of, mode=mode, beside="watched"))
