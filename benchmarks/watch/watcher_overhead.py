"""What a watcher costs at 10 ms, and how long it takes from a crossed threshold to the first shedder.

Every run is a process of its own, with and without a watcher in turn. A sleeping program sleeps for three seconds; a busy
one does a fixed piece of pure Python work of about three seconds, so that what the watcher takes from it shows as CPU
time. Two figures for the same cost: the difference of the two processes' CPU time, which a busy machine disturbs, and the
CPU clock of the watcher's own thread, which it does not. The peer is a thread that only waits, 10 ms at a time: what no
sampling from a thread can go below on this machine at this moment.

The delay is counted from before the allocation that crosses the critical threshold to the shedder's first line.

    python -m benchmarks.watch.watcher_overhead
"""

from __future__ import annotations

import json
import os
import platform
import random
import statistics
import subprocess
import sys
import threading
import time

from flatwater.meter import usage
from flatwater.watch import Watcher

RUNS = 5
RUN_S = 3.0
DELAYS = 20
THREAD = "flatwater-watcher"
LIMIT_BYTES = 64 << 20
BELOW_SHARE, STEP_SHARE = 0.83, 0.15  # 83 % is held all the time, and 15 % more crosses 95 %


def work(turns: int) -> int:
    """Pure Python, without system calls."""
    total = 0
    for turn in range(turns):
        total += turn & 7
    return total


def one_run(mode: str, turns: int, beside: str) -> dict[str, float]:
    """CPU seconds of this process while it sleeps or works, of the watcher's thread in it, and the wall time."""
    watcher = Watcher("64 GiB") if beside == "watched" else None
    if watcher is not None:
        watcher.start()
    if beside == "waiting":
        threading.Thread(target=_only_wait, name=THREAD, daemon=True).start()
    thread_s = _watcher_cpu_s()
    begin_cpu_s, begin_s = time.process_time(), time.monotonic()
    if mode == "sleeping":
        time.sleep(RUN_S)
    else:
        work(turns)
    cpu_s, wall_s = time.process_time() - begin_cpu_s, time.monotonic() - begin_s
    thread_s = _watcher_cpu_s() - thread_s
    if watcher is not None:
        watcher.stop()
    return {"cpu_s": cpu_s, "wall_s": wall_s, "thread_s": thread_s}


def _only_wait() -> None:
    lock = threading.Lock()
    lock.acquire()
    while not lock.acquire(timeout=0.01):
        pass


def _watcher_cpu_s() -> float:
    for thread in threading.enumerate():
        if thread.name == THREAD and thread.ident is not None:
            return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
    return 0.0


def overhead(mode: str, turns: int) -> dict[str, object]:
    """Shares of one CPU: medians of `RUNS` pairs."""
    differences, threads, waits = [], [], []
    for _ in range(RUNS):
        plain = _child(mode, str(turns), "alone")
        watched = _child(mode, str(turns), "watched")
        waiting = _child(mode, str(turns), "waiting")
        waits.append(waiting["thread_s"] / waiting["wall_s"])
        differences.append((watched["cpu_s"] - plain["cpu_s"]) / watched["wall_s"])
        threads.append(watched["thread_s"] / watched["wall_s"])
    return {
        "cpu_share_difference": round(statistics.median(differences), 5),
        "cpu_share_differences": [round(share, 5) for share in differences],
        "cpu_share_thread": round(statistics.median(threads), 5),
        "cpu_share_thread_that_only_waits": round(statistics.median(waits), 5),
        "runs": RUNS,
    }


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


def delays(mode: str) -> list[float]:
    """Milliseconds from crossing to shedding, `DELAYS` times, at random moments of the sampling period."""
    budget, pick = _Block(), random.Random(1)
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            work(20_000)

    found = []
    held = bytearray(b"x") * round(BELOW_SHARE * LIMIT_BYTES)
    baseline = usage().anon - len(held)
    step = bytes(round(STEP_SHARE * LIMIT_BYTES))
    # High is out of the way: only critical is timed.
    with Watcher(budget, baseline=baseline, high=0.94, critical=0.95) as watcher:
        if mode == "busy":
            threading.Thread(target=busy, daemon=True).start()
        for _ in range(DELAYS):
            while watcher.level != "normal":
                time.sleep(0.01)
            time.sleep(0.15 + pick.random() / 50)
            budget.called.clear()
            begin_s = time.monotonic()
            budget.block = bytearray(step)
            if not budget.called.wait(10):
                raise SystemExit(f"no shedder was called: {watcher.explain()}")
            found.append(1000 * (budget.called_at_s - begin_s))
        stop.set()
    return found


def delay(mode: str) -> dict[str, object]:
    """Median and longest, in a process of its own."""
    found = _child("delay", mode, "watched")["delays_ms"]
    return {"median_ms": round(statistics.median(found), 1), "max_ms": round(max(found), 1), "count": len(found)}


def _child(*words: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.watch.watcher_overhead", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def _turns() -> int:
    """How much work takes about `RUN_S` here."""
    turns = 200_000
    begin_s = time.process_time()
    work(turns)
    return round(turns * RUN_S / (time.process_time() - begin_s))


def main(words: list[str]) -> None:
    """Without arguments, everything; with some, one run inside a child."""
    if words:
        mode, second, beside = words
        if mode == "delay":
            print(json.dumps({"delays_ms": delays(second)}))
        else:
            print(json.dumps(one_run(mode, int(second), beside)))
        return
    turns = _turns()
    found = {
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "period_s": 0.01,
        "sleeping": overhead("sleeping", turns),
        "busy": overhead("busy", turns),
        "shed_delay_sleeping": delay("sleeping"),
        "shed_delay_busy": delay("busy"),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
