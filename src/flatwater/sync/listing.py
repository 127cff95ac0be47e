"""A remote's listing, in ranges that are listed side by side; each range comes in its order.

Covers:     dividing into ranges, threads, trying again from behind the last file, order, patterns, folders that cannot be read.
Not here:   listing itself (`sync.remotes`), what it is compared with (`sync.joining`).
Holds:      what a remote's listings hold, and so many batches that wait; see `bytes_max`.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from operator import lt
from typing import NamedTuple, final

from flatwater import limits
from flatwater.sync.entry import Entry
from flatwater.sync.failures import Failure, TemporaryFailure
from flatwater.sync.remote import Remote, shown
from flatwater.sync.retrying import Retrying, Stopped, are_left
from flatwater.sync.state import Range

_LOOK_S = 0.1  # that a thread waits for room before it looks whether the run has ended


class Part(NamedTuple):
    """What comes out: files of one range, or its end.

    Attributes:
        number: of the range.
        batch: its next files; empty at its end.
        last: the last path that was looked at, whether it was taken or not.
        is_last: whether the range is over.
    """

    number: int
    batch: list[Entry]
    last: bytes
    is_last: bool


def ranges_of(remote: Remote, levels: int, retrying: Retrying, workers: int = limits.SYNC_LIST_WORKERS) -> list[Range]:
    """Ranges that are worth listing side by side; one where `levels` is 0, or one thread lists.

    They are few for each worker: to see where a range ends an object store is asked for a page of what is behind it.
    """
    if not levels or workers == 1:
        return [Range()]
    borders = retrying.call(lambda: remote.borders(levels))
    most = min(limits.SYNC_RANGES_MAX, limits.SYNC_RANGES_EACH * workers)
    step = -(-len(borders) // (most - 1)) or 1
    borders = borders[::step]
    return [Range(after, before) for after, before in zip([b"", *borders], [*borders, b""], strict=True)]


@final
class Listing:
    """One listing of a remote. For one thread, which gets what others list; an iterator of parts, to be closed.

    Args:
        remote: that is listed.
        ranges: of which those that are not done are listed, from where they are.
        workers: ranges that are listed at a time; with one range and one worker, the calling thread lists.
        retrying: of listings that break.
        takes: whether a file is wanted; None takes all.

    Attributes:
        unread: folders that could not be read, and why; up to `limits.SYNC_FAILURES_KEPT`.
        unread_count: how many there were.
        unread_ranges: numbers of their ranges.
    """

    def __init__(
        self,
        remote: Remote,
        ranges: list[Range],
        workers: int,
        retrying: Retrying,
        takes: Callable[[Entry], bool] | None = None,
    ) -> None:
        self._remote = remote
        self._ranges = ranges
        self._todo = [number for number, each in enumerate(ranges) if not each.is_done]
        self._workers = min(workers, len(self._todo))
        self._retrying = retrying
        self._takes = takes
        self._lock = threading.Lock()
        self._left = threading.Event()
        self._waiting: queue.Queue[Part | BaseException | None] = queue.Queue(limits.SYNC_WAITING)
        self.unread: list[tuple[bytes, str]] = []
        self.unread_count = 0

    def parts(self) -> Generator[Part, None, None]:
        """Those of all ranges; of each range in its order.

        Raises:
            Failure: it could not be listed to its end.
        """
        if self._workers <= 1:
            for number in self._todo:
                yield from self._range(number)
            return
        threads = [
            threading.Thread(target=self._list, name=f"sync-list-{number}", daemon=True)
            for number in range(self._workers)
        ]
        for thread in threads:
            thread.start()
        try:
            running = len(threads)
            while running:
                found = self._waiting.get()
                if found is None:
                    running -= 1
                elif isinstance(found, BaseException):
                    raise found
                else:
                    box = [found]
                    del found
                    yield box.pop()
        finally:
            self._left.set()
            are_left(threads)

    def _list(self) -> None:
        """In a thread: one range after another."""
        try:
            while True:
                with self._lock:
                    if not self._todo or self._left.is_set():
                        break
                    number = self._todo.pop(0)
                with closing(self._range(number)) as parts:
                    for part in parts:
                        self._put(part)
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - raised where the parts are taken
            self._put(error)
            return
        self._put(None)

    def _put(self, what: Part | BaseException | None) -> None:
        while not self._left.is_set():
            try:
                self._waiting.put(what, timeout=_LOOK_S)
            except queue.Full:
                continue
            return

    def _range(self, number: int) -> Generator[Part, None, None]:
        """One range, again from behind its last file where it breaks."""
        last = self._ranges[number].start
        while True:
            box: list[Generator[Part, None, None]] = []

            def first(box: list[Generator[Part, None, None]] = box, last: bytes = last) -> Part:
                box[:] = [self._once(number, last)]
                return next(box[0])

            part = self._retrying.call(first)
            with closing(box[0]) as more:
                try:
                    while True:
                        last = part.last
                        yield part
                        if part.is_last:
                            return
                        part = next(more)
                except TemporaryFailure:
                    continue  # there was progress: it is tried as often again

    def _once(self, number: int, last: bytes) -> Generator[Part, None, None]:
        takes = self._takes
        remote = self._remote
        with closing(remote.batches(last, self._ranges[number].before, self._unread)) as batches:
            for batch in batches:
                if self._retrying.stop.is_set() or self._left.is_set():
                    raise Stopped
                if not batch:
                    continue
                paths = [entry.path for entry in batch]
                if paths[0] <= last or not all(map(lt, paths, paths[1:])):
                    raise Failure(f"{remote.url} is not listed in the byte order of its paths, near {shown(paths[0])}.")
                last = paths[-1]
                if takes is not None:
                    batch = [entry for entry in batch if takes(entry)]  # noqa: PLW2901 - what is left of it
                yield Part(number, batch, last, is_last=False)
        yield Part(number, [], last, is_last=True)

    def may_have(self, path: bytes) -> bool:
        """Whether a path that was not listed may be there nevertheless, in a folder that could not be read."""
        if self.unread_count > len(self.unread):
            return True
        return any(path.startswith(folder) for folder, _reason in self.unread)

    def _unread(self, folder: bytes, failure: Failure) -> None:
        with self._lock:
            self.unread_count += 1
            if len(self.unread) < limits.SYNC_FAILURES_KEPT:
                self.unread.append((folder, str(failure)))


def threads_of(remote: Remote, workers: int) -> int:
    """How many of so many threads have something to list: one, where a remote is listed in one."""
    return 1 if type(remote).borders is Remote.borders else workers


def bytes_max(remote: Remote, workers: int) -> int:
    """The most that listings of a remote hold, in bytes."""
    workers = threads_of(remote, workers)
    total = 0
    total += workers * remote.listing_bytes()
    total += workers * 2 * limits.SYNC_BATCH_BYTES  # batches that are being made, and looked at
    total += (limits.SYNC_WAITING if workers > 1 else 0) * limits.SYNC_BATCH_BYTES  # and wait
    return total
