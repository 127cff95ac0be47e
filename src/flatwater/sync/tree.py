"""A local directory as a remote lists itself: all files below it, in the byte order of their paths.

Covers:     order, folders of any number of files, going on behind a path, files that come and go meanwhile.
Not here:   reading and writing files, other remotes.
Holds:      names of the folders on the way to the present file, up to `limits.SYNC_NAMES` of them; those of a folder for which
            there is no room any more are sorted on disk, see `Tree.bytes_max`.

Object stores list keys in the byte order of the whole key. Names of one folder in their order are not that: "a.b" stands in
front of "a/c", and "a" in front of "a.b". Here a folder is sorted as its name with a "/" behind it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Generator, Iterator
from itertools import chain, islice
from typing import final

from flatwater import errors, limits
from flatwater.pipeline.flow import Flow
from flatwater.sync.entry import Entry

_NAME_BYTES = 120  # of a name in a list: most are shorter


@final
class Tree:
    """The files below a directory. Thread-safe: each listing is one of its own.

    Symbolic links, sockets, pipes and devices are no files, and not followed.

    Args:
        root: the directory.
    """

    def __init__(self, root: str | bytes | os.PathLike[str]) -> None:
        self.root = os.path.abspath(os.fsencode(root))

    def batches(self, after: bytes = b"") -> Generator[list[Entry], None, None]:
        """All files behind a path, in byte order; what is made or removed meanwhile may be there or not.

        Raises:
            BrokenError: the root or a folder cannot be read: then the listing is not complete.
        """
        walk = _Walk(self.root, after)
        files = walk.files()
        try:
            while batch := list(islice(files, limits.SYNC_BATCH)):
                box = [batch]
                del batch
                yield box.pop()
        finally:
            files.close()

    @staticmethod
    def bytes_max() -> int:
        """The most a listing holds, in bytes."""
        total = 0
        total += limits.SYNC_NAMES * _NAME_BYTES  # names in memory, of all folders on the way
        total += limits.SYNC_SORT_BYTES  # of one folder that is sorted on disk
        total += limits.SYNC_BATCH * 2 * _NAME_BYTES  # a batch
        return total


@final
class _Walk:
    """One listing."""

    def __init__(self, root: bytes, after: bytes) -> None:
        self._root = root
        self._after = after
        self._held = 0  # names in memory

    def files(self) -> Generator[Entry, None, None]:
        """One by one."""
        open_folders = [(b"", self._names(b"", is_root=True))]
        try:
            while open_folders:
                prefix, names = open_folders[-1]
                name = next(names, None)
                if name is None:
                    open_folders.pop()
                    continue
                path = prefix + name
                if path <= self._after and not (name.endswith(b"/") and self._after.startswith(path)):
                    continue
                if name.endswith(b"/"):
                    open_folders.append((path, self._names(path)))
                elif (found := self._found(path)) is not None:
                    yield found
        finally:
            for _prefix, names in open_folders:
                names.close()

    def _found(self, path: bytes) -> Entry | None:
        try:
            found = os.lstat(os.path.join(self._root, path))
        except (FileNotFoundError, NotADirectoryError):  # it is gone by now
            return None
        if not stat.S_ISREG(found.st_mode):  # it is something else by now
            return None
        return Entry(path, found.st_size, found.st_mtime_ns)

    def _names(self, folder: bytes, *, is_root: bool = False) -> Generator[bytes, None, None]:
        """Names in a folder, in the order of the paths that begin with them; those of folders end with "/"."""
        unsorted = self._unsorted(folder, is_root=is_root)
        first = list(islice(unsorted, max(1, limits.SYNC_NAMES - self._held)))
        more = next(unsorted, None)
        if more is None:
            first.sort()
            first.reverse()
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

    def _unsorted(self, folder: bytes, *, is_root: bool) -> Iterator[bytes]:
        path = os.path.join(self._root, folder)
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        yield entry.name + b"/"
                    elif entry.is_file(follow_symlinks=False):
                        yield entry.name
        except (FileNotFoundError, NotADirectoryError):
            if is_root:
                raise _not_read(path, "it is no directory") from None
        except OSError as error:
            raise _not_read(path, error.strerror or "") from error


def _not_read(path: bytes, reason: str) -> errors.BrokenError:
    return errors.BrokenError(
        f"{os.fsdecode(path)!r} cannot be listed: {reason}.",
        hint="Nothing is known about what is in it: look at it first.",
    )
