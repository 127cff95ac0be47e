"""Sample a tree of processes: how much they hold together, and the most each one held.

Covers:     everything below a root process, found again as it forks; sums and peaks over the tree.
Not here:   starting or ending it (`worker.command`), its history (`meter.timeline`).
Holds:      one descriptor and about 400 bytes per live process, at most `limits.RUN_PROCESSES_MAX` of them.

A page that two processes share is counted in both, as resident sizes always are; forked workers that share their
parent's memory therefore hold less than their sum. Children are found through /proc/PID/task/TID/children (proc(5)), at
most a hundredth of the time is spent on looking for them.
"""

from __future__ import annotations

import errno
import os
import time
from dataclasses import dataclass
from typing import final

from flatwater import errors, limits, units
from flatwater.meter.probe import IS_LINUX, Probe, usage

DISCOVERY_TIME_SHARE = 0.004
PEAK_READ_PERIOD_S = 0.1
SHARED_BYTES_MIN = units.MIB  # of a process: less is not worth walking its page tables for
_FORKED_ONLY = 0x40  # PF_FORKNOEXEC among the flags in /proc/PID/stat: forked, and not in a program of its own
_NO_DESCRIPTORS = frozenset((errno.EMFILE, errno.ENFILE))
_NO_DESCRIPTORS_WORDS = "no file descriptors were left to read more processes with (ulimit -n)"
MARK_SLACK_BYTES = units.MIB  # the kernel counts pages in batches for each CPU: one mark read twice differs by some


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
        ended_beside: sum of the peaks of those that ended since it was found and had lived beside it; see `Tree._retire`.
    """

    pid: int
    probe: Probe
    rss: int = 0
    anon: int = 0
    rss_peak: int = 0
    anon_peak: int = 0
    mark: int = 0
    ended_beside: int = 0


@final
class Tree:
    """The processes below `root_pid`, without the root itself.

    Not thread-safe: one thread samples it.

    Args:
        root_pid: of the process whose tree it is.
        include_root: it is a member, too.
        wait_for_program: one that was forked and has no program of its own yet is a member from the second look on. Between vfork(2)
            and execve(2) it has its parent's memory, which would count twice.

    Attributes:
        members: the live ones by pid.
        seen: how many processes were ever found.
        sum_peak: largest sum of resident sizes in one sample.
        shared: shared memory when last read, which is in no anonymous size: the sum of each process's proportional part
            (Pss_Shmem), so that a segment counts once; the largest process's where the kernel does not tell parts.
        shared_peak: the highest `shared`.
        unsampled: why some processes could not be sampled; empty if all were.
        mark_was_reset: whether the high-water mark of a process fell.
    """

    def __init__(self, root_pid: int, *, include_root: bool = False, wait_for_program: bool = False) -> None:
        self.root_pid = root_pid
        self.include_root = include_root
        self.wait_for_program = wait_for_program
        self._forked: set[int] = set()  # those that are waited for
        self.members: dict[int, Member] = {}
        self.seen = 0
        self.sum_peak = 0
        self.shared = 0
        self.shared_peak = 0
        self.unsampled = ""
        self.mark_was_reset = False
        self._found: list[Member] = []  # in the order they were found, with the ended ones until they are retired
        self._ended: list[Member] = []
        self._ended_together = 0
        self._discover_due = 0.0
        self._peaks_due = 0.0

    def sample(self, *, discover: bool = False) -> tuple[int, int]:
        """`(rss, anon)` of all processes together, in bytes, now; with `discover`, new ones are looked for in any case."""
        now = time.monotonic()
        if discover or now >= self._discover_due:
            self._discover()
            self._retire()
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
        """The most the tree can have held: the largest sum of the own peaks of processes that lived at one time."""
        largest, together = self._ended_together, 0
        for member in self._found:
            together += member.rss_peak
            largest = max(largest, together + member.ended_beside)
        return largest

    def close(self) -> None:
        """Give the descriptors back."""
        for pid in list(self.members):
            self._drop(pid)

    def _drop(self, pid: int) -> None:
        member = self.members.pop(pid)
        member.probe.close()
        self._ended.append(member)

    def _retire(self) -> None:
        """Take those that ended out of the sums; only after a look for new ones, which may have lived beside them.

        Processes that live at one time are a set that changes with each start and each end, so the largest sum is that
        of a set just after a start. Those of such a set that still live are always the first ones in `_found`, up to the
        one whose start it was; the peaks of those that ended are kept at that one. One number for each process is enough.
        """
        if not self._ended:
            return
        ended = frozenset(self._ended)
        self._ended.clear()
        left: list[Member] = []
        gone = 0  # peaks of those that ended, up to here
        for member in self._found:
            if member not in ended:
                member.ended_beside += gone
                left.append(member)
                continue
            gone += member.rss_peak
            together = member.ended_beside + gone
            if left:
                left[-1].ended_beside = max(left[-1].ended_beside, together)
            else:
                self._ended_together = max(self._ended_together, together)
        self._found = left

    def _read_peaks(self) -> None:
        parts = largest = 0
        for member in self.members.values():
            try:
                seen = usage(member.pid)
            except errors.BrokenError:
                continue  # it ended; the next sample drops it
            mark = seen.rss_peak
            if seen.shmem >= SHARED_BYTES_MIN:
                largest = max(largest, seen.shmem)
                parts += _shared_part(member.pid)
            if 0 < mark < member.mark - MARK_SLACK_BYTES:  # a mark only falls when somebody resets it
                self.mark_was_reset = True
            member.mark = mark
            member.rss_peak = max(member.rss_peak, mark)
        self.shared = parts or largest
        self.shared_peak = max(self.shared_peak, self.shared)

    def _discover(self) -> None:
        if len(self.members) >= limits.RUN_PROCESSES_MAX:
            self.unsampled = f"it has more than {limits.RUN_PROCESSES_MAX} processes"
            return
        try:
            found = _descendants(self.root_pid)
        except OSError:
            self.unsampled = _NO_DESCRIPTORS_WORDS
            return
        if self.include_root:
            found.append(self.root_pid)
        known, self._forked = self._forked, set()
        for pid in found:
            if self.wait_for_program and pid not in self.members and pid not in known and _is_forked_only(pid):
                self._forked.add(pid)
                continue
            if pid in self.members or len(self.members) >= limits.RUN_PROCESSES_MAX:
                continue
            try:
                probe = Probe(pid)
            except errors.BrokenError as error:
                if isinstance(error.__cause__, OSError) and error.__cause__.errno in _NO_DESCRIPTORS:
                    self.unsampled = _NO_DESCRIPTORS_WORDS
                    return
                continue  # it ended between the two reads
            if probe.read()[0] == 0:  # ending: its memory is gone, it is listed until somebody waits for it
                probe.close()
                continue
            self.members[pid] = member = Member(pid, probe)
            self._found.append(member)
            self.seen += 1


def _is_forked_only(pid: int) -> bool:
    """Whether it has no program of its own yet; False where that cannot be read."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return bool(int(file.read().rpartition(b")")[2].split()[6]) & _FORKED_ONLY)
    except (OSError, IndexError, ValueError):
        return False


def _shared_part(pid: int) -> int:
    """Bytes of the shared memory a process has mapped, each page divided by how many map it; 0 where it cannot be read."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss_Shmem:"):
                    return int(line.split()[1]) * 1024
    except OSError:  # it ended, or belongs to somebody else
        pass
    return 0


def _descendants(root_pid: int) -> list[int]:
    """Raises OSError only where no descriptor is left to look with."""
    if not IS_LINUX:
        return _psutil_descendants(root_pid)
    found: list[int] = []
    pending = [root_pid]
    while pending:
        pid = pending.pop()
        try:
            tasks = os.listdir(f"/proc/{pid}/task")
        except OSError as error:
            if error.errno in _NO_DESCRIPTORS:
                raise
            continue
        for task in tasks:
            try:
                with open(f"/proc/{pid}/task/{task}/children", "rb", buffering=0) as file:
                    children = [int(child) for child in file.read(1 << 16).split()]
            except OSError as error:
                if error.errno in _NO_DESCRIPTORS:
                    raise
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
