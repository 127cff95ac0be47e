"""The directory of a store: what it is, who has it open, and which version of flatwater can read it.

Covers:     creating and recognising one, the format's version, locks between processes, foreign and broken directories.
Not here:   the files of an engine (`store.engines`), upgrades from older formats (`store.upgrades`).
Holds:      one open file: the lock.

    store.json      what it is: format, backend
    store.lock      locked shared by those who have it open, exclusively by one that creates, compacts or upgrades it
    lmdb/, rocksdb/ the engine's files
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from typing import Any, Final, final

import msgspec

from flatwater import errors, limits

FORMAT: Final = 1
BACKENDS: Final = ("lmdb", "rocksdb")
DESCRIPTION: Final = "store.json"
LOCK: Final = "store.lock"
_OURS = {DESCRIPTION, DESCRIPTION + ".tmp", LOCK, *BACKENDS}


class Description(msgspec.Struct, frozen=True):
    """What `store.json` says."""

    format: int
    backend: str
    store: str = "flatwater"


@final
class Directory:
    """The directory of one open store.

    Args:
        path: of the directory.
        backend: "lmdb" or "rocksdb"; None is what is there, or "lmdb" for a new one.
        read_only: nothing is created or changed.

    Raises:
        UsageError: it is no store, or one of another backend.
        BrokenError: it cannot be opened, is of a newer format, or another process has it.
        CorruptError: its description cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str], *, backend: str | None, read_only: bool) -> None:
        self.path = os.path.abspath(os.fspath(path))
        self.read_only = read_only
        if backend is not None and backend not in BACKENDS:
            raise errors.UsageError(f"backend={backend!r} is not known.", hint=f"Take one of {', '.join(BACKENDS)}.")
        self._lock: int | None = None
        try:
            self._refuse_foreign()
            if not read_only:
                os.makedirs(self.path, exist_ok=True)
            self._open_lock()
            self.description = self._described(backend)
        except OSError as error:
            self.close()
            raise said(error, self.path) from error
        except BaseException:
            self.close()
            raise

    @property
    def engine_path(self) -> str:
        """Where the engine keeps its files."""
        return os.path.join(self.path, self.description.backend)

    def _refuse_foreign(self) -> None:
        try:
            names = set(os.listdir(self.path))
        except FileNotFoundError:
            if self.read_only:
                raise errors.UsageError(f"there is no store at {self.path}.", hint="Check the path.") from None
            return
        except NotADirectoryError:
            raise errors.UsageError(
                f"{self.path} is a file, and a store is a directory.", hint="Give another path."
            ) from None
        if DESCRIPTION in names:
            return
        if self.read_only:
            raise errors.UsageError(f"{self.path} is no store: it has no {DESCRIPTION}.", hint="Check the path.")
        if foreign := sorted(names - _OURS):
            raise errors.UsageError(
                f"{self.path} is no store, and has other files in it, such as {foreign[0]!r}.",
                hint="Give a path that does not exist, or an empty directory.",
            )

    def _described(self, backend: str | None) -> Description:
        file = os.path.join(self.path, DESCRIPTION)
        try:
            with open(file, "rb") as stream:
                text = stream.read(limits.STORE_DESCRIPTION_BYTES_MAX)
        except FileNotFoundError:
            return self._create(backend or BACKENDS[0])
        try:
            found = msgspec.json.decode(text, type=Description)
        except msgspec.MsgspecError as error:
            raise errors.CorruptError(f"{file} cannot be read: {error}.", hint="Restore it from a backup.") from error
        if found.store != "flatwater" or found.backend not in BACKENDS or found.format < 1:
            raise errors.UsageError(f"{self.path} is no store of flatwater.", hint=f"{file} says what it is.")
        if found.format > FORMAT:
            raise errors.BrokenError(
                f"{self.path} has format {found.format}, and this version of flatwater knows formats up to {FORMAT}.",
                hint="Upgrade flatwater: pip install --upgrade flatwater.",
            )
        if backend is not None and backend != found.backend:
            raise errors.UsageError(
                f"{self.path} was made with backend={found.backend!r}, not {backend!r}.",
                hint="Leave backend= out; or make another store, with `flatwater store dump` and `load`.",
            )
        return found

    def _create(self, backend: str) -> Description:
        """A new store: whatever a creation left that did not come to its end is used, for nobody wrote to it."""
        with self.exclusive("create it"):
            if os.path.exists(os.path.join(self.path, DESCRIPTION)):  # somebody was faster
                return self._described(backend)
            os.makedirs(os.path.join(self.path, backend), exist_ok=True)
            description = Description(format=FORMAT, backend=backend)
            self.describe(description)
        return description

    def describe(self, description: Description) -> None:
        """Write what it is, all at once."""
        temporary = os.path.join(self.path, DESCRIPTION + ".tmp")
        with open(temporary, "wb") as stream:
            stream.write(msgspec.json.encode(description) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, os.path.join(self.path, DESCRIPTION))
        sync_directory(self.path)
        self.description = description

    # --- locks between processes --------------------------------------------------------------------------------------

    def _open_lock(self) -> None:
        """The lock of those who have it open; none on a disk that cannot be written, where nobody changes anything."""
        file = os.path.join(self.path, LOCK)
        try:
            self._lock = os.open(file, os.O_RDWR | (0 if self.read_only else os.O_CREAT) | os.O_CLOEXEC, 0o644)
        except OSError as error:
            if self.read_only and error.errno in {errno.ENOENT, errno.EROFS, errno.EACCES, errno.EPERM}:
                return
            raise
        self._take(fcntl.LOCK_SH, "open it")

    def _take(self, kind: int, what: str) -> None:
        assert self._lock is not None
        until = time.monotonic() + limits.STORE_LOCK_S
        while True:
            try:
                fcntl.flock(self._lock, kind | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in {errno.EWOULDBLOCK, errno.EACCES, errno.EINTR}:
                    raise
            else:
                return
            if time.monotonic() > until:
                raise errors.BrokenError(
                    f"another process has the store {self.path} open: it is not possible to {what} now.",
                    hint="End the other process, or try again later.",
                )
            time.sleep(0.02)

    @contextlib.contextmanager
    def exclusive(self, what: str) -> Iterator[None]:
        """While nobody else has the store open.

        Raises:
            BrokenError: somebody has it open, and keeps it open.
        """
        if self._lock is None:
            raise errors.UsageError(f"the store {self.path} is open for reading.", hint="Open it without read_only.")
        try:
            self._take(fcntl.LOCK_EX, what)
            yield
        finally:
            self._take(fcntl.LOCK_SH, what)

    def keep(self) -> None:
        """Let no other process open it: for an engine that only one can use."""
        if self._lock is not None:
            self._take(fcntl.LOCK_EX, "open it")

    def close(self) -> None:
        """Give the lock back; more than once does no harm."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


def sync_directory(path: str) -> None:
    """Make names in a directory durable."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def said(error: OSError, path: str) -> errors.FlatwaterError:
    """An error of the operating system in our words."""
    reason = (error.strerror or str(error)).lower()
    hints: dict[Any, str] = {
        errno.EACCES: "Check who owns it; to read only, open it with read_only=True.",
        errno.EPERM: "Check who owns it; to read only, open it with read_only=True.",
        errno.EROFS: "The disk cannot be written: open it with read_only=True.",
        errno.ENOSPC: "Make room and try again: nothing is lost.",
        errno.EDQUOT: "Make room and try again: nothing is lost.",
    }
    return errors.BrokenError(f"the store {path} cannot be used: {reason}.", hint=hints.get(error.errno, ""))
