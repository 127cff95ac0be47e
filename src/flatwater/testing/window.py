"""What the kernel saw of this process between two moments, and whether that was all there was to see.

Covers:     the high-water mark and its base, what was free before, times; threads and processes that were left or used.
Not here:   telling the session (`testing.child`), any number of measures in one process (`meter.measuring`).
Holds:      a dozen numbers.

It stands alone in its process: it resets the high-water mark, and nobody else may meanwhile (`FLATWATER_RUN` says so).
"""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import time
from typing import NamedTuple, final

from flatwater.meter import allocators, probe
from flatwater.proof.trailing import still_works


class Trouble(NamedTuple):
    """Why the figures are not all: the stage's name, and what was seen."""

    stage: str
    what: str


@final
class Window:
    """Opened when it is made, closed once.

    Attributes:
        began: resident, unreclaimable ("anon": anonymous and shared) and reusable bytes at the start.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._threads = set(threading.enumerate())
        self._count = _threads()
        self._children = _children()
        self._waited = _faults_of_children()
        gc.collect()
        allocators.malloc_trim()  # what set-ups have freed would hide as much growth
        reusable = max(0, allocators.arenas().free)
        _reset_peak()
        now = probe.usage()
        self.began = {"rss": now.rss, "anon": now.unreclaimable, "reusable": reusable}
        self._began_s, self._cpu_s = time.perf_counter(), time.process_time()

    def close(self) -> tuple[dict[str, float], Trouble | None]:
        """The figures at the end, and why they are no figures; call it where the work has ended."""
        cpu_s, wall_s = time.process_time() - self._cpu_s, time.perf_counter() - self._began_s
        peak = _peak()
        if os.getpid() != self._pid:  # the work forked, and this is the other process, which came back as well
            os._exit(1)
        trouble = self._trouble()
        now = probe.usage()
        peak = max(peak, _peak(), now.rss)
        return {"peak": peak, "anon": now.unreclaimable, "cpu_s": cpu_s, "wall_s": wall_s}, trouble

    def _trouble(self) -> Trouble | None:
        if _threads() > self._count:
            late = [thread for thread in threading.enumerate() if thread not in self._threads]
            if still_works(lambda: _threads() > self._count):
                names = ", ".join(thread.name for thread in late) or "of native code"
                return Trouble("undone", f"it returned while a thread that it started still works ({names})")
        left = _children() - self._children
        if left:
            return Trouble("children", f"it left {len(left)} running: pid {', '.join(map(str, sorted(left)[:8]))}")
        if _faults_of_children() > self._waited:
            return Trouble("forked", "it started other processes, and their memory is not in its own")
        return None


def _reset_peak() -> None:
    # Where it cannot be done the mark is that of all the process did so far.
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def _peak() -> int:
    peak = probe.peak_rss()
    if peak >= 0:
        return peak
    try:
        import resource
    except ImportError:
        return -1
    import sys

    count = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return count if sys.platform == "darwin" else count * 1024


def _threads() -> int:
    """Native ones too, where the kernel tells."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def _children() -> set[int]:
    """Processes of this one that live."""
    found: set[int] = set()
    with contextlib.suppress(OSError):
        for task in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{task}/children", encoding="ascii") as file:
                found.update(int(pid) for pid in file.read().split() if _is_alive(pid))
    return found


def _is_alive(pid: str) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (OSError, IndexError):
        return False


def _faults_of_children() -> int:
    """Page faults of those that were waited for: it rises with each."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
