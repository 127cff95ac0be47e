"""Sample a tree of processes: how much they hold together, and the most each one held.

Covers:     everything below a root process, found again as it forks; sums and peaks over the tree.
Not here:   starting or ending it (`worker.command`), its history (`meter.timeline`).
Holds:      one descriptor and about 300 bytes per live process, at most `limits.RUN_PROCESSES_MAX` of them.

A page that two processes share is counted in both, as resident sizes always are; forked workers that share their
parent's memory therefore hold less than their sum. Children are found through /proc/PID/task/TID/children (proc(5)), at
most a hundredth of the time is spent on looking for them.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import final

from flatwater import errors, limits
from flatwater.meter.probe import IS_LINUX, Probe, usage

DISCOVERY_TIME_SHARE = 0.004
PEAK_READ_PERIOD_S = 0.1


@dataclass(slots=True, eq=False, repr=False)
class Member:
    """One process of the tree; bytes.

    Attributes:
        pid: its number.
        probe: its open statm.
        rss: at the last sample.
        anon: at the last sample.
        rss_peak: the highest seen: its own high-water mark where it could be read in time, else the largest sample.
        anon_peak: the largest sample.
        mark: its high-water mark when it was last read.
    """

    pid: int
    probe: Probe
    rss: int = 0
    anon: int = 0
    rss_peak: int = 0
    anon_peak: int = 0
    mark: int = 0


@final
class Tree:
    """The processes below `root_pid`, without the root itself.

    Not thread-safe: one thread samples it.

    Attributes:
        members: the live ones by pid.
        seen: how many processes were ever found.
        peaks_ended: sum of the peaks of those that ended.
        sum_peak: largest sum of resident sizes in one sample.
    """

    def __init__(self, root_pid: int, *, include_root: bool = False) -> None:
        self.root_pid = root_pid
        self.include_root = include_root
        self.members: dict[int, Member] = {}
        self.seen = 0
        self.peaks_ended = 0
        self.sum_peak = 0
        self.overflowed = False
        self.mark_was_reset = False
        self._discover_due = 0.0
        self._peaks_due = 0.0

    def sample(self) -> tuple[int, int]:
        """`(rss, anon)` of all processes together, in bytes, now."""
        now = time.monotonic()
        if now >= self._discover_due:
            self._discover()
            self._discover_due = now + (time.monotonic() - now) / DISCOVERY_TIME_SHARE
        rss_sum = anon_sum = 0
        ended: list[int] = []
        for member in self.members.values():
            rss, anon = member.probe.read()
            if rss == 0:
                ended.append(member.pid)
                continue
            member.rss, member.anon = rss, anon
            member.rss_peak = max(member.rss_peak, rss)
            member.anon_peak = max(member.anon_peak, anon)
            rss_sum += rss
            anon_sum += anon
        for pid in ended:
            self._drop(pid)
        if now >= self._peaks_due:
            self._read_peaks()
            self._peaks_due = now + max(PEAK_READ_PERIOD_S, (time.monotonic() - now) / DISCOVERY_TIME_SHARE)
        self.sum_peak = max(self.sum_peak, rss_sum)
        return rss_sum, anon_sum

    @property
    def peaks_sum(self) -> int:
        """Sum of every process's own peak: the most the tree can have held, if all peaked at once."""
        return self.peaks_ended + sum(member.rss_peak for member in self.members.values())

    def close(self) -> None:
        """Give the descriptors back."""
        for pid in list(self.members):
            self._drop(pid)

    def _drop(self, pid: int) -> None:
        member = self.members.pop(pid)
        self.peaks_ended += member.rss_peak
        member.probe.close()

    def _read_peaks(self) -> None:
        for member in self.members.values():
            try:
                mark = usage(member.pid).rss_peak
            except errors.BrokenError:
                continue  # it ended; the next sample drops it
            if 0 < mark < member.mark:  # a mark only falls when somebody resets it
                self.mark_was_reset = True
            member.mark = mark
            member.rss_peak = max(member.rss_peak, mark)

    def _discover(self) -> None:
        if len(self.members) >= limits.RUN_PROCESSES_MAX:
            self.overflowed = True
            return
        found = _descendants(self.root_pid)
        if self.include_root:
            found.append(self.root_pid)
        for pid in found:
            if pid in self.members or len(self.members) >= limits.RUN_PROCESSES_MAX:
                continue
            try:
                probe = Probe(pid)
            except errors.BrokenError:
                continue  # it ended between the two reads
            if probe.read()[0] == 0:  # ending: its memory is gone, it is listed until somebody waits for it
                probe.close()
                continue
            self.members[pid] = Member(pid, probe)
            self.seen += 1


def _descendants(root_pid: int) -> list[int]:
    if not IS_LINUX:
        return _psutil_descendants(root_pid)
    found: list[int] = []
    pending = [root_pid]
    while pending:
        pid = pending.pop()
        try:
            tasks = os.listdir(f"/proc/{pid}/task")
        except OSError:
            continue
        for task in tasks:
            try:
                with open(f"/proc/{pid}/task/{task}/children", "rb", buffering=0) as file:
                    children = [int(child) for child in file.read(1 << 16).split()]
            except OSError:
                continue
            found += children
            pending += children
    return found


def _psutil_descendants(root_pid: int) -> list[int]:
    import psutil

    try:
        return [process.pid for process in psutil.Process(root_pid).children(recursive=True)]
    except psutil.Error:
        return []
