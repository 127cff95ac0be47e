"""Files of a tree in the byte order of their paths, from listings of its folders in no order.

Covers:     order, folders of any number of files, beginning behind a path and ending before one, folders that cannot be read.
Not here:   listing one folder (the remotes).
Holds:      the items of the folders on the way to the present file, up to `limits.SYNC_NAMES_BYTES` of them; those of a folder
            for which there is no room any more are sorted on disk, see `bytes_max`.

Object stores list keys in the byte order of the whole key. Names of one folder in their order are not that: "a.b" stands in
front of "a/c", and "a" in front of "a.b". Here a folder is sorted as its name with a "/" behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from itertools import chain, islice
from typing import Any, TypeVar, final

from flatwater import limits
from flatwater.budget.budget import Budget
from flatwater.sync.entry import Entry
from flatwater.sync.failures import Failure, GoneFailure, TemporaryFailure
from flatwater.sync.remote import Unread, is_unfinished

_SLASH, _DOT = b"/."
_ITEM_BYTES = 200  # of an item in a list beside its name: a tuple, a size, a time
_ENTRY_BYTES = 230  # of a file in a batch beside its path
_SORT_BATCH_BYTES = 64 * 1024  # that come out of a sort at a time
_NAME_BYTES = 255  # of a name: systems have no longer ones
Sorted = TypeVar("Sorted")
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
        self._sort_bytes = limits.SYNC_SORT_BYTES  # that no folder is sorted in

    def batches(self) -> Generator[list[Entry], None, None]:
        """The files, some at a time."""
        batch: list[Entry] = []
        held = 0
        with closing(self._runs()) as runs:
            for run in runs:
                size = len(run) * (_ENTRY_BYTES + len(run[-1].path)) if run else 0
                if batch and held + size > limits.SYNC_BATCH_BYTES:
                    box = [batch]
                    batch, held = [], 0
                    yield box.pop()
                batch += run
                held += size
                if len(batch) >= limits.SYNC_BATCH:
                    box = [batch]
                    batch, held = [], 0
                    yield box.pop()
        if batch:
            yield batch

    def _runs(self) -> Generator[list[Entry], None, None]:
        """Files that follow each other in one folder, as many as a batch has at most."""
        opened = [self._opened(b"", [])]
        try:
            while opened:
                level = opened[-1]
                files: list[Item] = []
                below = level.next_folder(files, level.count)
                if files and (wanted := self._wanted(level.prefix, files)):
                    yield self._looked_at(level.prefix, wanted)
                if below:
                    path = level.prefix + below
                    if self._before and path >= self._before:
                        return
                    if path > self._after or self._after.startswith(path):
                        opened.append(self._opened(path, opened))
                elif level.is_over:
                    opened.pop().close()
                    self._sort_bytes += level.sort_bytes
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

    def _opened(self, folder: bytes, above: list[_Level]) -> _Level:
        """A folder, its items in the order of the paths that begin with them."""
        unsorted = self._unsorted(folder)
        room = limits.SYNC_NAMES_BYTES - sum([level.held for level in above])
        first = list(islice(unsorted, limits.SYNC_BATCH))
        part, held = first, 0
        while part:
            held += sum([len(item[0]) for item in part]) + _ITEM_BYTES * len(part)
            if held > room:
                break
            part = list(islice(unsorted, limits.SYNC_BATCH)) if len(part) == limits.SYNC_BATCH else []
            first += part
        else:
            first.sort(reverse=True)
            return _Level(folder, first, item_bytes=held // max(1, len(first)))
        sort_bytes = max(self._sort_bytes // 2, _SORT_BATCH_BYTES)
        self._sort_bytes -= sort_bytes
        return _Level(folder, [], sorted_on_disk(chain(first, unsorted), sort_bytes), sort_bytes=sort_bytes)

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
        item_bytes: of an item in memory.
        sort_bytes: that `more` has.
    """

    def __init__(
        self,
        prefix: bytes,
        items: list[Item],
        more: Generator[Item, None, None] | None = None,
        item_bytes: int = _ITEM_BYTES + _NAME_BYTES,
        sort_bytes: int = 0,
    ) -> None:
        self.prefix = prefix
        self.sort_bytes = sort_bytes
        entry_bytes = len(prefix) + _NAME_BYTES + _ENTRY_BYTES
        self.count = min(limits.SYNC_BATCH, limits.SYNC_BATCH_BYTES // entry_bytes + 1)  # files at a time
        self._items = items
        self._item_bytes = item_bytes
        self._more = more

    @property
    def held(self) -> int:
        """Bytes of its items in memory."""
        return len(self._items) * self._item_bytes

    @property
    def is_over(self) -> bool:
        """Whether nothing is left in it."""
        return not self._items and self._more is None

    def next_folder(self, files: list[Item], count: int) -> bytes:
        """The name of the next folder, with the files in front of it, `count` at most; b"" if those come first."""
        if not self._items and self._more is not None:
            self._items = list(islice(self._more, count))
            self._items.reverse()
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
            more.close()


def told(prefix: bytes, items: list[Item]) -> list[Entry]:
    """Files of items that have their sizes and times, for a remote whose folders tell these."""
    return [Entry(prefix + name, size, mtime_ns) for name, size, mtime_ns in items]


def sorted_on_disk(items: Iterator[Sorted], sort_bytes: int) -> Generator[Sorted, None, None]:
    """They, in order. What it holds is part of what its listing holds: the ambient budget is not asked for it once more."""
    from flatwater.pipeline.flow import Flow

    batch_bytes = min(_SORT_BATCH_BYTES, sort_bytes // 8)
    flow = Flow(items, batch_bytes=batch_bytes).sort(bytes=sort_bytes - 4 * batch_bytes)
    found: Any = iter(flow)
    try:
        with Budget(flow.bytes_max(), name="sync.sort"):
            first = list(islice(found, 1))
        yield from first
        yield from found
    finally:
        found.close()


def bytes_max() -> int:
    """The most a listing holds, in bytes."""
    total = 0
    total += limits.SYNC_NAMES_BYTES  # items in memory, of all folders on the way
    total += limits.SYNC_BATCH * (_ITEM_BYTES + _NAME_BYTES)  # those with which there is no room any more
    total += limits.SYNC_SORT_BYTES  # of folders that are sorted on disk
    return total
