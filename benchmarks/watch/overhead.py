"""What a watcher takes from the program it watches."""

from __future__ import annotations

import threading
import time
from functools import partial

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome

TURNS = 100_000  # pure Python that takes about as long as one sample's period
SLEEPING, BUSY = "sleeping", "busy"
ALONE, WAITING, WATCHED = "alone", "a thread that only waits", "watched"
THREAD = "flatwater-watcher"


def of_thread(mode: str, outcome: Outcome) -> float:
    """Percent of one CPU that the watcher's thread took."""
    return outcome.figure(f"{mode}, {WATCHED}", "thread_percent")


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


def work(turns: int) -> int:
    """Pure Python, without system calls."""
    total = 0
    for turn in range(turns):
        total += turn & 7
    return total


def run_of(size: int, *, mode: str, beside: str) -> Run:
    from flatwater.watch import Watcher

    def run() -> dict[str, float]:
        watcher = Watcher("64 GiB") if beside == WATCHED else None
        if watcher is not None:
            watcher.start()
        if beside == WAITING:
            threading.Thread(target=_only_wait, name=THREAD, daemon=True).start()
        thread_s, began_s = _thread_cpu_s(), time.monotonic()
        if mode == SLEEPING:
            time.sleep(size / 100)
        else:
            work(size * TURNS)
        taken_s, wall_s = _thread_cpu_s() - thread_s, time.monotonic() - began_s
        if watcher is not None:
            watcher.stop()
        return {"thread_percent": 100 * taken_s / wall_s}

    return run


def _only_wait() -> None:
    lock = threading.Lock()
    lock.acquire()
    while not lock.acquire(timeout=0.01):
        pass


def _thread_cpu_s() -> float:
    for thread in threading.enumerate():
        if thread.name == THREAD and thread.ident is not None:
            return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
    return 0.0


for mode in (SLEEPING, BUSY):
    for beside in (ALONE, WAITING, WATCHED):
        case.contestant(f"{mode}, {beside}")(partial(run_of, mode=mode, beside=beside))
