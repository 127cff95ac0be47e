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
from itertools import chain, islice
from typing import final

from flatwater import limits
from flatwater.pipeline.flow import Flow
from flatwater.sync.entry import Entry
from flatwater.sync.failures import Failure, GoneFailure, TemporaryFailure
from flatwater.sync.remote import Unread, is_unfinished

_ITEM_BYTES = 160  # of a name in a list, with its size and time: most are shorter
Item = tuple[
    bytes, int, int
]  # a name, with "/" behind it if it is a folder; its size and time, or what `entry` makes of them


@final
class Walk:
    """One listing of a tree.

    Args:
        folder: lists one: called with its path, empty for the root or with a "/" at its end.
        entry: makes a file of its path and item; None if it is gone by now.
        after: files behind this path only.
        before: files in front of this path only; b"" is no end.
        unread: is told of each folder that cannot be listed; without it, that ends the listing.
    """

    def __init__(
        self,
        folder: Callable[[bytes], Iterator[Item]],
        entry: Callable[[bytes, Item], Entry | None],
        after: bytes = b"",
        before: bytes = b"",
        unread: Unread | None = None,
    ) -> None:
        self._folder = folder
        self._entry = entry
        self._after = after
        self._before = before
        self._unread = unread
        self._held = 0  # items in memory

    def batches(self) -> Generator[list[Entry], None, None]:
        """The files, some at a time."""
        files = self._files()
        try:
            while batch := list(islice(files, limits.SYNC_BATCH)):
                box = [batch]
                del batch
                yield box.pop()
        finally:
            files.close()

    def _files(self) -> Generator[Entry, None, None]:
        opened = [(b"", self._items(b""))]
        after, before = self._after, self._before
        try:
            while opened:
                prefix, items = opened[-1]
                item = next(items, None)
                if item is None:
                    opened.pop()
                    continue
                name = item[0]
                path = prefix + name
                if path <= after and not (name.endswith(b"/") and after.startswith(path)):
                    continue
                if before and path >= before:
                    return
                if name.endswith(b"/"):
                    opened.append((path, self._items(path)))
                elif (found := self._entry(path, item)) is not None:
                    yield found
        finally:
            for _prefix, items in opened:
                items.close()

    def _items(self, folder: bytes) -> Generator[Item, None, None]:
        """Those of a folder, in the order of the paths that begin with them."""
        unsorted = self._unsorted(folder)
        first = list(islice(unsorted, max(1, limits.SYNC_NAMES - self._held)))
        more = next(unsorted, None)
        if more is None:
            first.sort(reverse=True)
            self._held += len(first)
            try:
                while first:
                    yield first.pop()
                    self._held -= 1
            finally:
                self._held -= len(first)
            return
        on_disk = iter(Flow(chain(first, [more], unsorted)).sort(bytes=limits.SYNC_SORT_BYTES))
        first = []
        try:
            yield from on_disk
        finally:
            on_disk.close()  # type: ignore[attr-defined]

    def _unsorted(self, folder: bytes) -> Iterator[Item]:
        try:
            for item in self._folder(folder):
                if not is_unfinished(item[0]):
                    yield item
        except GoneFailure:
            if not folder:
                raise  # a root that is not there is no empty one: a disk may not be mounted
        except TemporaryFailure:
            raise  # another listing goes on from where this one is
        except Failure as error:
            if not folder or self._unread is None:
                raise
            self._unread(folder, error)


def bytes_max() -> int:
    """The most a listing holds, in bytes."""
    total = 0
    total += limits.SYNC_NAMES * _ITEM_BYTES  # items in memory, of all folders on the way
    total += limits.SYNC_SORT_BYTES  # of one folder that is sorted on disk
    total += limits.SYNC_BATCH * 2 * _ITEM_BYTES  # a batch
    return total
