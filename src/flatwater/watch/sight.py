"""What the operating system sees of a watched program: the process, its children, and its control group.

Covers:     one cheap read a sample for the process, a slower one for children and the group, at a bounded share of time.
Not here:   levels (`watch.levels`), the tree's own peaks (`meter.tree`).
Holds:      a descriptor for the process, one a child, and the group's figures.

A group's usage includes the page cache, which the kernel takes back by itself: near its limit, what its memory.stat
counts as file pages is taken off (proc and cgroup documentation of the kernel; memory.stat `file`, v1 `total_cache`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import final

from flatwater import limits
from flatwater.meter.probe import IS_LINUX, Probe
from flatwater.meter.tree import Tree

GROUP_NEAR_SHARE = 0.5  # of a group's limit: below it, its page cache does not matter
UNLIMITED_BYTES = 1 << 60  # v1 says 9223372036854771712 for "no limit"


@final
class Sight:
    """Reads a program. Not thread-safe: one thread samples.

    Args:
        children: whether the processes it started count.
        group: its control group; found by itself if left out.
        clock: monotonic seconds.

    Attributes:
        read_raw: of this process's probe.
        ignored_pid: a child that does not count: the separate watching process.
        children_anon: of all children at the last slow read, bytes.
        children_rss: the same, resident.
        group_used: what the control group holds beside page cache, bytes; -1 without a limit.
        group_limit: its limit, bytes; -1 without one.
    """

    def __init__(
        self,
        *,
        children: bool = True,
        group: Group | None = None,
        clock: Callable[[], float],
    ) -> None:
        self._probe = Probe()
        self.read_raw = self._probe.raw_reader() if IS_LINUX else bytes
        self._tree = Tree(os.getpid()) if children else None
        self._group = group if group is not None else Group.of_this_process()
        self._clock = clock
        self._slow_due_s = 0.0
        self.ignored_pid = 0
        self.children_rss = self.children_anon = 0
        self.group_used = self.group_limit = -1

    def read(self) -> tuple[int, int]:
        """`(rss, anon)` in bytes of the process and its children as last seen; about 1.5 us but for the slow reads."""
        now_s = self._clock()
        if now_s >= self._slow_due_s:
            self._read_slow()
            took_s = self._clock() - now_s
            pause_s = max(limits.WATCH_SLOW_READ_PERIOD_S, took_s / limits.WATCH_SLOW_READ_TIME_SHARE)
            self._slow_due_s = now_s + pause_s
        rss, anon = self._probe.read_at_once()
        return rss + self.children_rss, anon + self.children_anon

    def postpone(self) -> None:
        """No slow read for a moment: beside a busy thread it takes 30 ms, which a critical process does not have."""
        self._slow_due_s = self._clock() + limits.WATCH_SLOW_READ_PERIOD_S

    def read_now(self) -> tuple[int, int]:
        """For a second look: children and group are read anew if there are any, else as the last slow read saw them."""
        # Each file read lets other threads have the interpreter: with a busy one, thirty reads are 150 ms.
        if self.children_rss > 0 or self.group_limit > 0:
            self._read_slow()
        return self.read()

    def _read_slow(self) -> None:
        if self._tree is not None:
            rss, anon = self._tree.sample()
            ignored = self._tree.members.get(self.ignored_pid)
            self.children_rss = rss - (ignored.rss if ignored else 0)
            self.children_anon = anon - (ignored.anon if ignored else 0)
        if self._group is not None:
            self.group_used, self.group_limit = self._group.read()

    def close(self) -> None:
        """Give the descriptors back."""
        self._probe.close()
        if self._tree is not None:
            self._tree.close()


@final
class Group:
    """A control group with a memory limit.

    Args:
        directory: its directory below /sys/fs/cgroup.
        usage_file: the file with what it holds.
        limit_bytes: its limit.
        stat_prefix: of the lines of memory.stat that sum up the whole group: "total_" in v1, none in v2.
    """

    def __init__(self, directory: str, usage_file: str, limit_bytes: int, stat_prefix: bytes = b"") -> None:
        self.directory = directory
        self.limit_bytes = limit_bytes
        self._usage_path = os.path.join(directory, usage_file)
        self._cache_key = b"total_cache" if stat_prefix else b"file"
        self._shared_key = stat_prefix + b"shmem"

    def read(self) -> tuple[int, int]:
        """`(used beside page cache, limit)` in bytes; (-1, -1) once it cannot be read."""
        used = _number(self._usage_path)
        if used < 0:
            return -1, -1
        if used >= GROUP_NEAR_SHARE * self.limit_bytes:
            for line in _read(os.path.join(self.directory, "memory.stat")).splitlines():
                key, _, count = line.partition(b" ")
                if key == self._cache_key:
                    used -= int(count)
                elif key == self._shared_key:
                    used += int(count)  # shared memory is counted as cache, but the kernel cannot take it back
        return max(0, used), self.limit_bytes

    @classmethod
    def of_this_process(cls, root: str = "/sys/fs/cgroup", membership: str = "/proc/self/cgroup") -> Group | None:
        """The nearest group around this process that has a limit, v2 first; None where there is none."""
        if not IS_LINUX:
            return None
        for line in _read(membership).decode("utf-8", "replace").splitlines():
            _number_text, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            if controllers == "":
                found = cls._nearest(root, path, "memory.max", "memory.current", b"")
            elif "memory" in controllers.split(","):
                base = os.path.join(root, "memory")
                found = cls._nearest(base, path, "memory.limit_in_bytes", "memory.usage_in_bytes", b"total_")
            else:
                continue
            if found is not None:
                return found
        return None

    @classmethod
    def _nearest(cls, base: str, path: str, limit_file: str, usage_file: str, stat_prefix: bytes) -> Group | None:
        """The tightest limit on the way from the process's group up to the root (a container sees its own as root)."""
        best: Group | None = None
        parts = [part for part in path.split("/") if part not in {"", ".."}]
        for depth in range(len(parts), -1, -1):
            directory = os.path.join(base, *parts[:depth])
            limit = _number(os.path.join(directory, limit_file))
            if 0 < limit < UNLIMITED_BYTES and (best is None or limit < best.limit_bytes):
                best = cls(directory, usage_file, limit, stat_prefix)
        return best


def _number(path: str) -> int:
    text = _read(path).strip()
    return int(text) if text.isdigit() else -1  # "max", or no such file


def _read(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(1 << 16)
    except OSError:
        return b""
