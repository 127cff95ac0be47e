"""What it costs to sample one's own process every 10 ms."""

from __future__ import annotations

import threading
import time

from benchmarks.case import Bar, Case, Run

from flatwater import limits

OURS = "fw.Timeline"
PERIOD_S = limits.SAMPLE_PERIOD_S

case = Case(
    "A process that sleeps, and samples its memory every 10 ms from a thread meanwhile.",
    size=500,
    tiny=5,
    per="sample",
    unit="us",
    figures={"share_percent": "% of one CPU"},
    bars=(
        Bar(
            "a `Timeline` at 10 ms takes at most 1 % of one CPU",
            1.0,
            "%",
            lambda outcome: outcome.figure(OURS, "share_percent"),
        ),
    ),
)


def shared(work: Run) -> Run:
    """`work`, and the share of a CPU that it took."""

    def run() -> dict[str, float]:
        begin_cpu_s, begin_s = time.process_time(), time.perf_counter()
        work()
        return {"share_percent": 100 * (time.process_time() - begin_cpu_s) / (time.perf_counter() - begin_s)}

    return run


@case.contestant("psutil.memory_info in a thread", needs=("psutil",))
def psutil(size: int) -> Run:
    import psutil

    process = psutil.Process()
    stop = threading.Event()
    history: list[int] = []

    def sample() -> None:
        while not stop.wait(PERIOD_S):
            history.append(process.memory_info().rss)

    def run() -> None:
        thread = threading.Thread(target=sample)
        thread.start()
        time.sleep(size * PERIOD_S)
        stop.set()
        thread.join()

    return shared(run)


@case.contestant("only sleep")
def nothing(size: int) -> Run:
    return shared(lambda: time.sleep(size * PERIOD_S))


@case.contestant(OURS)
def timeline(size: int) -> Run:
    from flatwater.meter import Timeline

    def run() -> None:
        with Timeline(period_s=PERIOD_S):
            time.sleep(size * PERIOD_S)

    return shared(run)
