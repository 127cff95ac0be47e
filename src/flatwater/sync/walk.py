"""Files of a tree in the byte order of their paths, from listings of its folders in no order.

Covers:     order, folders of any number of files, beginning behind a path and ending before one, folders that cannot be read.
Not here:   listing one folder (the remotes).
Holds:      the items of the folders on the way to the present file, up to `limits.SYNC_NAMES` of them; those of a folder for
            which there is no room any more are sorted on disk, see `bytes_max`.

Object stores list keys in the byte order of the whole key. Names of one folder in their order are not that: "a.b" stands in
front of "a/c", and "a" in front of "a.b". Here a folder is sorted as its name with a "/" behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from itertools import chain, islice
from typing import final

from flatwater import limits
from flatwater.sync.entry import Entry
from flatwater.sync.failures import Failure, GoneFailure, TemporaryFailure
from flatwater.sync.remote import Unread, is_unfinished

_SLASH, _DOT = b"/."
_ITEM_BYTES = 160  # of a name in a list, with its size and time: most are shorter
Item = tuple[
    bytes, int, int
]  # a name, with "/" behind it if it is a folder; its size and time, or what `entries` makes of them


@final
class Walk:
    """One listing of a tree.

    Args:
        folder: lists one: called with its path, empty for the root or with a "/" at its end.
        entries: makes files of the items of a folder, in their order; those that are gone by now are left out.
        after: files behind this path only.
        before: files in front of this path only; b"" is no end.
        unread: is told of each folder that cannot be listed; without it, that ends the listing.
    """

    def __init__(
        self,
        folder: Callable[[bytes], Iterator[Item]],
        entries: Callable[[bytes, list[Item]], list[Entry]],
        after: bytes = b"",
        before: bytes = b"",
        unread: Unread | None = None,
    ) -> None:
        self._folder = folder
        self._entries = entries
        self._after = after
        self._before = before
        self._unread = unread
        self._held = 0  # items in memory

    def batches(self) -> Generator[list[Entry], None, None]:
        """The files, some at a time."""
        batch: list[Entry] = []
        with closing(self._runs()) as runs:
            for run in runs:
                batch += run
                if len(batch) >= limits.SYNC_BATCH:
                    box = [batch]
                    batch = []
                    yield box.pop()
        if batch:
            yield batch

    def _runs(self) -> Generator[list[Entry], None, None]:
        """Files that follow each other in one folder, as many as a batch has at most."""
        opened = [self._opened(b"")]
        try:
            while opened:
                level = opened[-1]
                files: list[Item] = []
                below = level.next_folder(files, limits.SYNC_BATCH)
                self._held -= len(files)
                if files and (wanted := self._wanted(level.prefix, files)):
                    yield self._looked_at(level.prefix, wanted)
                if below:
                    self._held -= 1
                    path = level.prefix + below
                    if self._before and path >= self._before:
                        return
                    if path > self._after or self._after.startswith(path):
                        opened.append(self._opened(path))
                elif level.is_over:
                    opened.pop().close()
                elif self._before and files and level.prefix + files[-1][0] >= self._before:
                    return
        finally:
            for level in opened:
                level.close()

    def _looked_at(self, prefix: bytes, wanted: list[Item]) -> list[Entry]:
        """Files of a folder; none where it lets itself be listed, and its files not be looked at."""
        try:
            return self._entries(prefix, wanted)
        except TemporaryFailure:
            raise
        except Failure as error:
            if not prefix or self._unread is None:
                raise
            self._unread(prefix, error)
            return []

    def _wanted(self, prefix: bytes, files: list[Item]) -> list[Item]:
        """Those of them that are between `after` and `before`."""
        after, before = self._after, self._before
        if prefix + files[0][0] <= after:
            files = [item for item in files if prefix + item[0] > after]
        if before and files and prefix + files[-1][0] >= before:
            files = [item for item in files if prefix + item[0] < before]
        return files

    def _opened(self, folder: bytes) -> _Level:
        """A folder, its items in the order of the paths that begin with them."""
        unsorted = self._unsorted(folder)
        first = list(islice(unsorted, max(1, limits.SYNC_NAMES - self._held)))
        more = next(unsorted, None)
        if more is None:
            self._held += len(first)
            first.sort(reverse=True)
            return _Level(folder, first, None)
        from flatwater.pipeline.flow import Flow

        on_disk = iter(Flow(chain(first, [more], unsorted)).sort(bytes=limits.SYNC_SORT_BYTES))
        return _Level(folder, [], on_disk, self._hold)

    def _hold(self, count: int) -> None:
        self._held += count

    def _unsorted(self, folder: bytes) -> Iterator[Item]:
        try:
            yield from self._folder(folder)
        except GoneFailure:
            if not folder:
                raise  # a root that is not there is no empty one: a disk may not be mounted
        except TemporaryFailure:
            raise  # another listing goes on from where this one is
        except Failure as error:
            if not folder or self._unread is None:
                raise
            self._unread(folder, error)


@final
class _Level:
    """A folder on the way to the present file.

    Args:
        prefix: its path.
        items: its next items, the last one first.
        more: what comes behind them, sorted; None for nothing.
        hold: told of how many of these are in memory.
    """

    def __init__(
        self, prefix: bytes, items: list[Item], more: Iterator[Item] | None, hold: Callable[[int], None] | None = None
    ) -> None:
        self.prefix = prefix
        self._items = items
        self._more = more
        self._hold = hold

    @property
    def is_over(self) -> bool:
        """Whether nothing is left in it."""
        return not self._items and self._more is None

    def next_folder(self, files: list[Item], count: int) -> bytes:
        """The name of the next folder, with the files in front of it, `count` at most; b"" if those come first."""
        if not self._items and self._more is not None:
            self._items = list(islice(self._more, count))
            self._items.reverse()
            if self._hold is not None:
                self._hold(len(self._items))
            if not self._items:
                self.close()
        items = self._items
        while items:
            item = items.pop()
            name = item[0]
            if name[-1] == _SLASH:
                return name
            if name[0] == _DOT and is_unfinished(name):
                continue
            files.append(item)
            if len(files) == count:
                break
        return b""

    def close(self) -> None:
        """Nothing more is wanted of it."""
        self._items = []
        more, self._more = self._more, None
        if more is not None:
            more.close()  # type: ignore[attr-defined]


def told(prefix: bytes, items: list[Item]) -> list[Entry]:
    """Files of items that have their sizes and times, for a remote whose folders tell these."""
    return [Entry(prefix + name, size, mtime_ns) for name, size, mtime_ns in items]


def bytes_max() -> int:
    """The most a listing holds, in bytes."""
    total = 0
    total += limits.SYNC_NAMES * _ITEM_BYTES  # items in memory, of all folders on the way
    total += limits.SYNC_SORT_BYTES  # of one folder that is sorted on disk
    total += limits.SYNC_BATCH * 2 * _ITEM_BYTES  # a batch
    return total
