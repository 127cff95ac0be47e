"""A directory of this machine, or of one that is mounted here.

Covers:     listing, reading, writing below its root and nowhere else, whatever links are in it.
Not here:   order (`sync.walk`).
Holds:      open files; see `Directory.bytes_max`.

No symbolic link is followed on the way from the root to a file, neither when it is read nor when it is written: each folder
is opened below the one before, so that nobody can put a link there in between.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, final

from flatwater import limits
from flatwater.sync import walk
from flatwater.sync.entry import UNKNOWN, Attributes, Entry
from flatwater.sync.failures import (
    Failure,
    GoneFailure,
    InTheWayFailure,
    RefusedFailure,
    RemoteFailure,
    TemporaryFailure,
)
from flatwater.sync.remote import Reading, Remote, Unread, Writing, found_in_another_case, shown, unfinished_name
from flatwater.sync.walk import Item, Walk

_MODE = 0o666  # of a new file, less what the umask takes
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NOFOLLOW | getattr(os, "O_CLOEXEC", 0)
_FILE_FLAGS = _NOFOLLOW | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


@final
class Directory(Remote):
    """The files below a directory. Symbolic links, sockets, pipes and devices are no files, and not followed.

    Args:
        root: the directory; made when the first file is written to it.
    """

    kind = "directory"
    keeps_mtime = True

    def __init__(self, root: str | bytes | os.PathLike[str]) -> None:
        self.root = os.path.abspath(os.fsencode(root))
        super().__init__(os.fsdecode(self.root))
        self._listed: tuple[int, int] | None = None  # the root that was listed: its device and number

    # --- listing ------------------------------------------------------------------------------------------------------

    def batches(
        self, after: bytes = b"", before: bytes = b"", unread: Unread | None = None
    ) -> Generator[list[Entry], None, None]:
        """As `Remote.batches`. A root that becomes another one between two listings, or meanwhile, ends the later one."""
        with contextlib.suppress(GoneFailure):  # told below, where the root is opened
            self._check_root()
        with closing(Walk(self._folder, self._entries, after, before, unread).batches()) as batches:
            for batch in batches:
                self._check_root()
                yield batch
        self._check_root()

    def _check_root(self) -> None:
        """A disk that is unmounted leaves an empty directory: its files are not gone."""
        try:
            found = os.stat(self.root)
        except OSError as error:
            raise _failure(GoneFailure, self.root, _reason(error), "listed") from None
        number = (found.st_dev, found.st_ino)
        if self._listed is None:
            self._listed = number
        elif number != self._listed:
            raise RemoteFailure(f"{self.url} became another directory while it was listed.")

    def close(self) -> None:
        """As `Remote.close`: the root may be another one when it is listed again."""
        self._listed = None

    def _folder(self, folder: bytes) -> Iterator[Item]:
        encoding, escapes = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
        try:
            number = self._opened(folder)
            try:
                found = os.scandir(number)
            finally:
                os.close(number)
            with found as entries:
                for entry in entries:
                    if entry.is_file(follow_symlinks=False):
                        yield entry.name.encode(encoding, escapes), 0, 0
                    elif entry.is_dir(follow_symlinks=False):
                        yield entry.name.encode(encoding, escapes) + b"/", 0, 0
        except (FileNotFoundError, NotADirectoryError):
            raise _failure(GoneFailure, folder or self.root, "there is no such folder", "listed") from None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _failure(GoneFailure, folder, "it is a link by now", "listed") from None
            raise _failure(RefusedFailure, folder or self.root, _reason(error), "listed") from error

    def _entries(self, prefix: bytes, items: list[Item]) -> list[Entry]:
        """Files as they are now: without those that are gone, or something else, since the folder was listed."""
        try:
            folder = self._opened(prefix)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            if error.errno == errno.ELOOP:
                return []
            raise _failed(prefix, error, "listed") from error
        look, is_file, made = os.stat, stat.S_ISREG, tuple.__new__
        entries = []
        try:
            for name, _size, _mtime_ns in items:
                try:
                    found = look(name, dir_fd=folder, follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if is_file(found.st_mode):  # made without a call of our own: there are millions
                    entries.append(made(Entry, (prefix + name, found.st_size, found.st_mtime_ns, b"")))
        except OSError as error:
            raise _failed(prefix, error, "listed") from error
        finally:
            os.close(folder)
        return entries

    def find(self, path: bytes) -> Entry | None:
        """As `Remote.find`."""
        try:
            with self._folder_of(path) as (folder, name):
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError, InTheWayFailure):
            return None
        except OSError as error:
            raise _failed(path, error, "looked at") from error
        return Entry(path, found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None

    # --- one file -----------------------------------------------------------------------------------------------------

    def read(self, path: bytes) -> Reading:
        """As `Remote.read`."""
        try:
            with self._folder_of(path) as (folder, name):
                number = os.open(name, os.O_RDONLY | _FILE_FLAGS, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError, InTheWayFailure):
            raise _failure(GoneFailure, path, "it is not there any more", "read") from None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise _failure(GoneFailure, path, "it is a link by now", "read") from None
            raise _failed(path, error, "read") from error
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            os.close(number)
            raise _failure(GoneFailure, path, "it is no file any more", "read")
        return _FileReading(path, number, found)

    def write(self, path: bytes, size: int, attributes: Attributes) -> Writing:  # noqa: ARG002 - the signature
        """As `Remote.write`."""
        folder = -1
        try:
            folder, _name = self._opened_folder(path, make=True)
            return _FileWriting(path, folder, attributes)
        except OSError as error:
            if folder >= 0:
                os.close(folder)
            raise _failed(path, error, "written") from error

    def delete(self, paths: Sequence[bytes]) -> list[Failure | None]:
        """As `Remote.delete`."""
        return [self._delete(path) for path in paths]

    def _delete(self, path: bytes) -> Failure | None:
        try:
            with self._folder_of(path) as (folder, name):
                os.unlink(name, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError, InTheWayFailure):
            pass
        except IsADirectoryError:  # the file is gone, and a folder has its name
            pass
        except OSError as error:
            return _failed(path, error, "deleted")
        self._prune(path)
        return None

    def _prune(self, path: bytes) -> None:
        """Remove the folders above a path that are empty now."""
        while path := path.rpartition(b"/")[0]:
            try:
                with self._folder_of(path) as (folder, name):
                    os.rmdir(name, dir_fd=folder)
            except (OSError, InTheWayFailure):
                return

    def discard(self, path: bytes) -> None:
        """As `Remote.discard`."""
        with contextlib.suppress(OSError, Failure), self._folder_of(unfinished_name(path)) as (folder, name):
            os.unlink(name, dir_fd=folder)

    def takes_cases_for_one(self) -> bool:
        """As `Remote.takes_cases_for_one`."""
        return found_in_another_case(self)

    # --- itself -------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """As `Remote.settle`: one call for the whole file system."""
        try:
            root = os.open(self.root, _FOLDER_FLAGS & ~_NOFOLLOW)
        except FileNotFoundError:
            return  # nothing was written
        try:
            if not _syncfs(root):
                os.sync()
        except OSError as error:
            raise RemoteFailure(f"{self.url} cannot be made durable: {_reason(error)}.") from error
        finally:
            os.close(root)

    def listing_bytes(self) -> int:
        """As `Remote.listing_bytes`."""
        return walk.bytes_max()

    def bytes_max(self, workers: int) -> int:
        """As `Remote.bytes_max`."""
        return workers * limits.SYNC_FILE_BYTES  # open files, of which no more is kept than their numbers

    # --- folders ------------------------------------------------------------------------------------------------------

    def _opened(self, folder: bytes) -> int:
        """A folder for listing, its path with a "/" at its end: as `_opened_folder`, and faster, as there are many."""
        number = os.open(self.root, _FOLDER_FLAGS & ~_NOFOLLOW)
        for part in folder.split(b"/")[:-1]:
            above = number
            try:
                number = os.open(part, _FOLDER_FLAGS, dir_fd=above)
            finally:
                os.close(above)
        return number

    @contextlib.contextmanager
    def _folder_of(self, path: bytes) -> Iterator[tuple[int, bytes]]:
        folder, name = self._opened_folder(path, make=False)
        try:
            yield folder, name
        finally:
            os.close(folder)

    def _opened_folder(self, path: bytes, *, make: bool) -> tuple[int, bytes]:
        """The folder of a path, opened, and the name in it."""
        *parts, name = path.split(b"/")
        try:
            folder = os.open(self.root, _FOLDER_FLAGS & ~_NOFOLLOW)  # the root may be a link: it was named
        except FileNotFoundError:
            if not make:
                raise
            os.makedirs(self.root, exist_ok=True)
            folder = os.open(self.root, _FOLDER_FLAGS & ~_NOFOLLOW)
        try:
            for part in parts:
                folder = _stepped(folder, part, path, make=make)
        except BaseException:
            os.close(folder)
            raise
        return folder, name


def _stepped(folder: int, part: bytes, path: bytes, *, make: bool) -> int:
    """The folder `part` in a folder, which is closed when that one is open."""
    try:
        try:
            below = os.open(part, _FOLDER_FLAGS, dir_fd=folder)
        except FileNotFoundError:
            if not make:
                raise
            with contextlib.suppress(FileExistsError):  # another worker made it meanwhile
                os.mkdir(part, dir_fd=folder)
            below = os.open(part, _FOLDER_FLAGS, dir_fd=folder)
    except OSError as error:
        if error.errno in {errno.ENOTDIR, errno.ELOOP}:  # a file, or a link, which may lead anywhere
            raise _in_the_way(path, part) from None
        raise
    os.close(folder)
    return below


@final
class _FileReading(Reading):
    """A file of a directory."""

    def __init__(self, path: bytes, number: int, found: os.stat_result) -> None:
        self._number = number
        self._path = path
        self.entry = Entry(path, found.st_size, found.st_mtime_ns)
        self.attributes = Attributes(found.st_mtime_ns, stat.S_IMODE(found.st_mode))

    def read(self, count: int) -> bytes:
        """As `Reading.read`."""
        try:
            return os.read(self._number, count)
        except OSError as error:
            raise _failed(self._path, error, "read") from error

    def is_unchanged(self) -> bool:
        """As `Reading.is_unchanged`."""
        found = os.fstat(self._number)
        return (found.st_size, found.st_mtime_ns) == (self.entry.size, self.entry.mtime_ns)

    def close(self) -> None:
        """As `Reading.close`."""
        number, self._number = self._number, -1
        if number >= 0:
            os.close(number)


@final
class _FileWriting(Writing):
    """A file of a directory that has not its name yet."""

    def __init__(self, path: bytes, folder: int, attributes: Attributes) -> None:
        self._path = path
        self._folder = folder
        self._attributes = attributes
        self._name = path.rpartition(b"/")[2]
        self._unfinished = unfinished_name(path).rpartition(b"/")[2]
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._unfinished, dir_fd=folder)  # what a killed run left, or a link that somebody put there
        self._number = os.open(
            self._unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE_FLAGS, _MODE, dir_fd=folder
        )

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """As `Writing.write`."""
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._number, left) :]
        except OSError as error:
            raise _failed(self._path, error, "written") from error

    def publish(self) -> Entry:
        """As `Writing.publish`."""
        try:
            if self._attributes.mode >= 0:
                os.fchmod(self._number, self._attributes.mode & 0o777)  # set-user-ID and its kin are not handed on
            if self._attributes.mtime_ns != UNKNOWN:
                os.utime(self._number, ns=(self._attributes.mtime_ns, self._attributes.mtime_ns))
            found = os.fstat(self._number)
            self._check_ours(found)
            os.rename(self._unfinished, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        except TemporaryFailure:
            self.abandon()
            raise
        except (IsADirectoryError, FileExistsError):
            self.abandon()
            raise InTheWayFailure(f"{shown(self._path)} cannot be written: a folder has that name.") from None
        except OSError as error:
            self.abandon()
            raise _failed(self._path, error, "written") from error
        self._closed()
        return Entry(self._path, found.st_size, found.st_mtime_ns)

    def abandon(self) -> None:
        """As `Writing.abandon`."""
        if self._number >= 0:
            with contextlib.suppress(OSError):
                if self._is_ours(os.fstat(self._number)):
                    os.unlink(self._unfinished, dir_fd=self._folder)
            self._closed()

    def _check_ours(self, found: os.stat_result) -> None:
        if not self._is_ours(found):
            raise TemporaryFailure(f"{shown(self._path)} cannot be written: somebody else writes it now, too.")

    def _is_ours(self, found: os.stat_result) -> bool:
        """Whether the unfinished name is still of the file that is written here: another sync takes the same one."""
        try:
            there = os.stat(self._unfinished, dir_fd=self._folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (there.st_dev, there.st_ino) == (found.st_dev, found.st_ino)

    def _closed(self) -> None:
        number, self._number = self._number, -1
        os.close(number)
        os.close(self._folder)


def _in_the_way(path: bytes, part: bytes) -> InTheWayFailure:
    return InTheWayFailure(f"{shown(path)} cannot be written: {shown(part)!r} on the way to it is no folder.")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _failure(kind: type[Failure], path: bytes, reason: str, verb: str) -> Failure:
    return kind(f"{shown(path)} cannot be {verb}: {reason}.")


def _failed(path: bytes, error: OSError, verb: str) -> Failure:
    kind: type[Failure] = RemoteFailure if error.errno in _NO_ROOM else RefusedFailure
    return _failure(kind, path, _reason(error), verb)


def _no_syncfs(_folder: int) -> bool:
    return False


def _found_syncfs() -> Callable[[int], bool]:
    if not sys.platform.startswith("linux"):
        return _no_syncfs
    function: Any = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if function is None:
        return _no_syncfs

    def syncfs(folder: int) -> bool:
        if function(folder) == 0:
            return True
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    return syncfs


_syncfs = _found_syncfs()
