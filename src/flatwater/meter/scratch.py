"""A directory for the small files of one run, which is removed also if the run is killed.

Covers:     making it, telling why there is none, removing what killed runs of the same user have left.
Not here:   what stands in it (`meter.suspects`, `meter.profile`).
Holds:      one descriptor until `close`.

The owner holds a flock(2) on its directory, which ends with the process however it ends. A lock needs no process numbers,
which mean nothing between containers that share a folder for temporary files.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import stat
import sys
import tempfile
import time
from typing import final

from flatwater import errors

AGE_S_MIN = 60.0  # of what is removed: a directory is locked a moment after it is made
ENTRIES_MAX = 4_096  # of the folder for temporary files that are looked at; 1 us each
REMOVED_MAX = 16  # directories that one start removes, the next one goes on
FILES_MAX = 8_192  # of one directory and all below it; one that holds more stays


@final
class Scratch:
    """One directory below the folder for temporary files.

    Args:
        prefix: how its name begins; what others of this prefix have left is removed first.

    Attributes:
        path: the directory; empty if there is none.
        trouble: why there is none; empty if there is one.
    """

    def __init__(self, prefix: str) -> None:
        self.path = self.trouble = ""
        self._lock = -1
        try:
            folder = tempfile.gettempdir()
            sweep(folder, prefix)
            self.path = tempfile.mkdtemp(prefix=prefix, dir=folder)
        except OSError as error:
            why = (
                f"{(error.strerror or str(error)).lower()}: {error.filename!r}"
                if error.filename
                else "no folder can be written"
            )
            self.trouble = f"no temporary directory ({why}); point TMPDIR to one that can be written"
            return
        with contextlib.suppress(OSError):  # a file system without locks: it is swept neither
            self._lock = _locked(self.path)

    def close(self) -> None:
        """Remove the directory; Ctrl-C in the middle of that is heard when it is done."""
        try:
            if self.path:
                shutil.rmtree(self.path, ignore_errors=True)
        except BaseException:
            shutil.rmtree(self.path, ignore_errors=True)
            raise
        finally:
            if self._lock >= 0:
                os.close(self._lock)
                self._lock = -1


def needed(prefix: str, need: str) -> Scratch:
    """A directory, where there is no going on without one.

    Args:
        prefix: how its name begins.
        need: who needs it and for what, as the error begins.

    Raises:
        BrokenError: there is no place for temporary files.
    """
    scratch = Scratch(prefix)
    if scratch.trouble:
        raise errors.BrokenError(f"{need}: {scratch.trouble}.")
    return scratch


def sweep(folder: str, prefix: str) -> None:
    """Remove directories of this prefix in `folder` that are ours, old enough and locked by nobody."""
    removed = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in itertools.islice(entries, ENTRIES_MAX):
            if removed < REMOVED_MAX and entry.name.startswith(prefix):
                with contextlib.suppress(OSError):
                    removed += _remove(entry.path)


def _remove(path: str) -> bool:
    """Remove one directory and all below it, by its descriptor, so that nobody can put another in its place meanwhile."""
    if sys.platform == "win32" or not shutil.rmtree.avoids_symlink_attacks:
        return False
    known = os.lstat(path)
    old = time.time() - known.st_mtime >= AGE_S_MIN
    if not (old and stat.S_ISDIR(known.st_mode) and known.st_uid == os.geteuid()):
        return False
    number = _locked(path)
    try:
        if not os.path.samestat(known, os.fstat(number)):
            return False
        below = 0
        for _, folders, files, _ in os.fwalk(dir_fd=number):  # links are not followed
            below += len(folders) + len(files)
            if below > FILES_MAX:
                return False
        for name in os.listdir(number):
            if stat.S_ISDIR(os.lstat(name, dir_fd=number).st_mode):
                shutil.rmtree(name, dir_fd=number)
            else:
                os.unlink(name, dir_fd=number)
        os.rmdir(path)  # only if it is empty, and no link
    finally:
        os.close(number)
    return True


def _locked(path: str) -> int:
    """A descriptor that holds the lock of a directory; an OSError if somebody else does."""
    if sys.platform == "win32":
        return -1
    import fcntl

    number = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(number)
        raise
    return number
