"""How long it takes from a crossed threshold to the first line of a shedder."""

from __future__ import annotations

import random
import statistics
import threading
import time
from functools import partial

from benchmarks.case import Bar, Case, Run
from benchmarks.outcome import Outcome
from benchmarks.watch.overhead import BUSY, SLEEPING, work

LIMIT_BYTES = 64 << 20
BELOW_SHARE, STEP_SHARE = 0.83, 0.15  # 83 % is held all the time, and 15 % more crosses 95 %


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


class _Block:
    """A budget with one shedder: the block that crossed the threshold."""

    limit = LIMIT_BYTES
    held = 0
    is_open = True

    def __init__(self) -> None:
        self.gate = self
        self.block: bytearray | None = None
        self.called = threading.Event()
        self.called_at_s = 0.0

    def shed(self, _wanted: int) -> int:
        if self.block is None:
            return 0
        self.called_at_s = time.monotonic()
        size, self.block = len(self.block), None
        self.called.set()
        return size

    def holders(self) -> list[tuple[str, int]]:
        return []

    def pause(self, _reason: str) -> None:
        self.is_open = False

    def resume(self) -> None:
        self.is_open = True


def delays_ms(count: int, mode: str) -> list[float]:
    """From crossing to shedding, so many times."""
    from flatwater.meter import usage
    from flatwater.watch import Watcher

    budget, pick, stop = _Block(), random.Random(1), threading.Event()

    def busy() -> None:
        while not stop.is_set():
            work(20_000)

    found = []
    held = bytearray(b"x") * round(BELOW_SHARE * LIMIT_BYTES)
    baseline = usage().anon - len(held)
    step = bytes(round(STEP_SHARE * LIMIT_BYTES))
    # High is out of the way: only critical is timed.
    with Watcher(budget, baseline=baseline, high=0.94, critical=0.95) as watcher:
        if mode == BUSY:
            threading.Thread(target=busy, daemon=True).start()
        for _ in range(count):
            while watcher.level != "normal":
                time.sleep(0.01)
            time.sleep(0.15 + pick.random() / 50)
            budget.called.clear()
            began_s = time.monotonic()
            budget.block = bytearray(step)
            if not budget.called.wait(10):
                raise SystemExit(f"no shedder was called: {watcher.explain()}")
            found.append(1000 * (budget.called_at_s - began_s))
        stop.set()
    return found


def run_of(size: int, *, mode: str) -> Run:
    def run() -> dict[str, float]:
        found_ms = delays_ms(size, mode)
        return {"median_ms": statistics.median(found_ms), "longest_ms": max(found_ms)}

    return run


for mode in (SLEEPING, BUSY):
    case.contestant(mode)(partial(run_of, mode=mode))
