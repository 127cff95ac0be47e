"""Look at a process that somebody else started: sizes, curve, forecast, until it ends.

Covers:     a process with its children or alone, whether it is still the same one, the limit that it has.
Not here:   acting on what is seen (`watch.watcher`), programs that flatwater started (`watch.supervise`), the words (`cli.reports.watch_text`).
Holds:      a bounded history, and what a tree of processes takes; see `Onlooker.bytes_max`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self, final

import psutil

from flatwater import errors, limits
from flatwater.budget.detect import detect
from flatwater.meter.timeline import Timeline
from flatwater.meter.tree import Tree
from flatwater.watch.forecasting import Forecast, forecast

NAME_CHARS = 60


@final
class Onlooker:
    """Looks at one process of this machine. Not thread-safe.

    Args:
        pid: of the process.
        alone: without its children.
        limit_bytes: what it may have; if 0, the least that its control groups and its RLIMIT_DATA allow it, or a share of the machine's memory
            where they allow it all (`budget.detect`).
        clock: monotonic seconds.

    Attributes:
        name: its command, cut.
        limit_bytes, limit_source: the limit, and who says so.
        rss, anon: bytes when last looked.
        processes: how many there are.
        has_ended: it is gone, or another process has its number.

    Raises:
        UsageError: there is no such process, it is the kernel's, or it is not ours to look at.
    """

    def __init__(
        self, pid: int, *, alone: bool = False, limit_bytes: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        try:
            self._process = psutil.Process(pid)
            words = self._process.cmdline()
            name = (" ".join(words) or self._process.name())[:NAME_CHARS]
            self.name = "".join(each if each.isprintable() else "?" for each in name)  # a terminal would obey the rest
            seen = self._process.memory_info()
        except psutil.ZombieProcess:
            raise errors.UsageError(
                f"process {pid} has ended; its parent has not asked for its exit code yet."
            ) from None
        except psutil.NoSuchProcess:
            raise errors.UsageError(f"there is no process {pid}.", hint="`ps` lists those that there are.") from None
        except psutil.AccessDenied:
            raise errors.UsageError(f"process {pid} is not yours to look at.", hint="Ask its owner, or root.") from None
        if seen.rss == 0 and not words:
            raise errors.UsageError(f"process {pid} is the kernel's own, and has no memory of that kind.")
        self.pid = pid
        found, source = detect(proc=f"/proc/{pid}")
        self.limit_bytes, self.limit_source = (limit_bytes, "--budget") if limit_bytes else (found, source)
        self.rss = self.anon = self.processes = 0
        self.has_ended = False
        self._tree = None if alone else Tree(pid, include_root=True)
        self._clock = clock
        self._begin_s = clock()
        self.history = Timeline(points_max=limits.ONLOOK_POINTS_MAX)

    def bytes_max(self) -> int:
        """The most its history holds, in bytes."""
        return self.history.bytes_max()

    @property
    def seconds(self) -> float:
        """Since it began to look."""
        return self._clock() - self._begin_s

    def look(self) -> bool:
        """Look once; False when there is nothing to look at any more."""
        try:
            if not self._process.is_running() or self._process.status() == psutil.STATUS_ZOMBIE:
                self.has_ended = True
                return False
            if self._tree is not None:
                rss, anon = self._tree.sample()
                self.processes = len(self._tree.members)
            else:
                seen = self._process.memory_info()
                rss, anon = seen.rss, seen.rss - getattr(seen, "shared", 0)
                self.processes = 1
        except (psutil.NoSuchProcess, ProcessLookupError):
            self.has_ended = True
            return False
        if rss:
            self.rss, self.anon = rss, anon
            self.history.add(self.seconds, rss=rss, anon=anon)
        return True

    @property
    def forecast(self) -> Forecast:
        """When the limit is reached at the present growth."""
        return forecast(self.history.points(), self.limit_bytes, now_s=None, metric="anon")

    def close(self) -> None:
        """Give its descriptors back."""
        if self._tree is not None:
            self._tree.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
