"""The directory of a store: what it is, who has it open, and which version of flatwater can read it.

Covers:     creating and recognising one, the format's version, locks between processes, foreign and broken directories.
Not here:   the files of an engine (`store.engines`), upgrades from older formats (`store.upgrades`).
Holds:      one open file: the lock.

    store.json      what it is: format, backend
    store.lock      locked shared by those who have it open, exclusively by one that compacts or upgrades it
    store.work      locked by one that creates, compacts or upgrades it
    lmdb/, rocksdb/ the engine's files

Two locks, because a shared one does not become exclusive at once: it is given up first, and not given back if that fails.
Without the second lock, two that try at the same time would let each other in while both have the store open.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Final, final

import msgspec

from flatwater import errors, limits

FORMAT: Final = 2  # 1: keys of up to 511 bytes stood in LMDB as they are
BACKENDS: Final = ("lmdb", "rocksdb")
DESCRIPTION: Final = "store.json"
LOCK: Final = "store.lock"
WORK: Final = "store.work"
_OURS = {DESCRIPTION, DESCRIPTION + ".tmp", LOCK, WORK, *BACKENDS, "lost+found"}  # the last one: a disk of its own
_MAIN_FILES = {"lmdb": "data.mdb", "rocksdb": "CURRENT"}  # without which there is nothing of an engine
_BUSY = {errno.EWOULDBLOCK, errno.EACCES, errno.EINTR}
_directories: weakref.WeakSet[Directory] = weakref.WeakSet()
_open_here: dict[tuple[int, int], object] = {}  # lock files that this process has open: device and number


class Description(msgspec.Struct, frozen=True):
    """What `store.json` says."""

    format: int
    backend: str
    store: str = "flatwater"


class _Version(msgspec.Struct):
    """What `store.json` says in every version."""

    format: int = 0
    store: str = ""


@final
class Directory:
    """The directory of one open store.

    Args:
        path: of the directory.
        backend: "lmdb" or "rocksdb"; None is what is there, or "lmdb" for a new one.
        read_only: nothing is created or changed.
        make: makes the files of an engine, given its name and its directory, before the description says that there are
            any: a store that has a description and no such files is damaged.

    Raises:
        UsageError: it is no store, or one of another backend, or this process has it open.
        BrokenError: it cannot be opened, is of a newer format, or another process has it.
        CorruptError: its description cannot be read, or the engine's files are gone.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        backend: str | None,
        read_only: bool,
        make: Callable[[str, str], None] | None = None,
    ) -> None:
        self.path = full(path)
        self.read_only = read_only
        if backend is not None and backend not in BACKENDS:
            raise errors.UsageError(f"backend={backend!r} is not known.", hint=f"Take one of {', '.join(BACKENDS)}.")
        self._lock: int | None = None
        self._kind = fcntl.LOCK_SH  # how the lock is held while nobody asks for more
        self._turn = threading.Lock()  # of the threads that ask for more
        self._make = make
        self._key: tuple[int, int] | None = None
        _directories.add(self)
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
            if not os.path.lexists(self.path):
                raise  # a file is above it
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
        if not os.path.lexists(file):
            return self._create(backend)
        with open(file, "rb") as stream:
            text = stream.read(limits.STORE_DESCRIPTION_BYTES_MAX)
        found = self._read(text, file)
        if backend is not None and backend != found.backend:
            raise errors.UsageError(
                f"{self.path} was made with backend={found.backend!r}, not {backend!r}.",
                hint="Leave backend= out; or make another store, with `flatwater store dump` and `load`.",
            )
        main = os.path.join(self.path, found.backend, _MAIN_FILES[found.backend])
        size = _size_of(main) if self._make is not None else 1
        if not size:
            state = "gone" if size is None else "empty"
            raise errors.CorruptError(
                f"{main} is {state}, and so is what was in the store.", hint="Restore it from a backup."
            )
        return found

    def _read(self, text: bytes, file: str) -> Description:
        """What a description says, if it is one that this version knows."""
        try:
            version = msgspec.json.decode(text, type=_Version)
        except msgspec.ValidationError:
            version = _Version()
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise errors.CorruptError(f"{file} cannot be read: {error}.", hint="Restore it from a backup.") from error
        if version.store == "flatwater" and version.format > FORMAT:  # before all else: who knows what it looks like
            raise errors.BrokenError(
                f"{self.path} has format {version.format}, and this version of flatwater knows formats up to {FORMAT}.",
                hint="Upgrade flatwater: pip install --upgrade flatwater.",
            )
        if version.store != "flatwater" or version.format < 1:
            raise errors.UsageError(f"{self.path} is no store of flatwater.", hint=f"Look into {file}.")
        try:
            found = msgspec.json.decode(text, type=Description)
        except msgspec.MsgspecError as error:
            raise errors.CorruptError(f"{file} cannot be read: {error}.", hint="Restore it from a backup.") from error
        if found.backend not in BACKENDS:
            raise errors.CorruptError(
                f"{file} names {found.backend!r:.80}, which is no backend.", hint="Restore it from a backup."
            )
        return found

    def _create(self, backend: str | None) -> Description:
        """A new store: what a creation left that did not come to its end is used, for nobody wrote to it.

        So is a store that lost its description: its entries are there.
        """
        with self._turn, self._at_work("create it"):
            if os.path.exists(os.path.join(self.path, DESCRIPTION)):  # somebody was faster
                return self._described(backend)
            there = [name for name, main in _MAIN_FILES.items() if os.path.exists(os.path.join(self.path, name, main))]
            if backend is None:
                backend = there[0] if there else BACKENDS[0]
            elif there and backend not in there:
                raise errors.UsageError(
                    f"{self.path} has the files of {there[0]!r}, and no {DESCRIPTION}.", hint="Leave backend= out."
                )
            place = os.path.join(self.path, backend)
            os.makedirs(place, exist_ok=True)
            if self._make is not None:
                self._make(backend, place)
                sync_directory(place)
            description = Description(format=FORMAT, backend=backend)
            self.describe(description)
        return description

    def describe(self, description: Description) -> None:
        """Write what it is, all at once."""
        write_whole(os.path.join(self.path, DESCRIPTION), msgspec.json.encode(description) + b"\n")
        sync_directory(self.path)
        self.description = description

    # --- locks between processes --------------------------------------------------------------------------------------

    def _open_lock(self) -> None:
        """The lock of those who have it open; none on a disk that cannot be written, where nobody changes anything."""
        file = os.path.join(self.path, LOCK)
        flags = os.O_RDONLY if self.read_only else os.O_RDWR | os.O_CREAT
        try:
            self._lock = os.open(file, flags | os.O_CLOEXEC, 0o644)
        except OSError as error:
            if self.read_only and error.errno in {errno.ENOENT, errno.EACCES, errno.EPERM}:
                return
            raise
        state = os.fstat(self._lock)
        key = (state.st_dev, state.st_ino)
        if _open_here.setdefault(key, self) is not self:
            raise errors.UsageError(
                f"{self.path} is open in this process already.", hint="Share what has it open: it is thread-safe."
            )
        self._key = key
        self._take(self._lock, fcntl.LOCK_SH, "open it")

    def _take(self, lock: int, kind: int, what: str) -> None:
        """Lock it, or say after a while that somebody else has it."""
        until = time.monotonic() + limits.STORE_LOCK_S
        while True:
            try:
                fcntl.flock(lock, kind | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in _BUSY:
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
    def _at_work(self, what: str) -> Iterator[None]:
        """While nobody else creates, compacts or upgrades it."""
        work = os.open(os.path.join(self.path, WORK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            self._take(work, fcntl.LOCK_EX, what)
            yield
        finally:
            os.close(work)

    @contextlib.contextmanager
    def exclusive(self, what: str) -> Iterator[None]:
        """While nobody else has the store open. Threads come one after another.

        Raises:
            UsageError: it is open for reading.
            BrokenError: somebody has it open, and keeps it open.
            ClosedError: it was closed.
        """
        if self.read_only:
            raise errors.UsageError(f"the store {self.path} is open for reading.", hint="Open it without read_only.")
        with self._turn:
            lock = self._lock
            if lock is None:
                raise errors.ClosedError(f"the store {self.path} was closed.", hint="Open it again.")
            try:
                with self._at_work(what):
                    try:
                        self._take(lock, fcntl.LOCK_EX, what)
                        yield
                    finally:
                        fcntl.flock(lock, self._kind)  # nobody else can have more than a shared one: it does not wait
            except OSError as error:
                raise said(error, self.path) from error

    def keep(self) -> None:
        """Let no other process open it: for an engine that only one can use."""
        if self._lock is not None:
            self._take(self._lock, fcntl.LOCK_EX, "open it")
            self._kind = fcntl.LOCK_EX

    def keep_out(self) -> None:
        """Let nobody write, for one who reads without the right to say so. A disk that cannot be written needs no lock."""
        if not os.statvfs(self.path).f_flag & os.ST_RDONLY:
            self.keep()

    def close(self) -> None:
        """Give the lock back, after the work that needs it; more than once does no harm."""
        with self._turn:
            self._let_go()

    def _let_go(self) -> None:
        key, self._key = self._key, None
        if key is not None:
            _open_here.pop(key, None)
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


def is_ours(path: str) -> bool:
    """Whether a directory has nothing in it that a store would not put there."""
    try:
        return set(os.listdir(path)) <= _OURS
    except OSError:
        return False


def _size_of(file: str) -> int | None:
    """Bytes of a file; None if it is not there. One that may not be looked at is an OSError: `os.path.exists` says no."""
    try:
        return os.stat(file).st_size
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_whole(file: str, content: bytes, mode: int = 0o666) -> None:
    """Write a file all at once, in place of the one that stood there. Its name is durable after `sync_directory`."""
    temporary = f"{file}.tmp"
    try:
        with open(temporary, "wb", opener=lambda path, flags: os.open(path, flags, mode)) as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


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
    return errors.BrokenError(f"the store {path} cannot be used: {reason}.", hint=_HINTS.get(error.errno, ""))


_OWNER = "Check who owns it. Store(..., read_only=True) only reads it."
_ROOM = "Make room and try again: nothing is lost."
_HINTS: dict[Any, str] = {
    errno.EACCES: _OWNER,
    errno.EPERM: _OWNER,
    errno.EROFS: "The disk cannot be written. Store(..., read_only=True) only reads it.",
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "Files of this process may not be so large (ulimit -f): raise that and try again.",
    errno.EMFILE: "This process has too many files open (ulimit -n).",
    errno.ENAMETOOLONG: "Give a shorter path.",
    errno.EEXIST: "A link that leads nowhere stands there, or a file in the place of a directory.",
    errno.ENOTDIR: "A file stands in the place of a directory.",
}


def full(path: str | os.PathLike[str]) -> str:
    """`path` from the root on: it stays right when the process changes its directory."""
    try:
        text = os.fsdecode(path)
    except TypeError:
        text = ""
    if not text or "\x00" in text:
        raise errors.UsageError(f"{path!r} is no path.", hint="Give the directory of the store.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise errors.UsageError(
            f"{text!r} is no text in UTF-8, and the engines need that of a path.", hint="Give another path."
        ) from None
    return os.path.abspath(text)


def _forked() -> None:
    """A child has no use for its parent's store, and must not keep others out after its parent closed it."""
    _open_here.clear()
    for directory in list(_directories):
        directory._turn = threading.Lock()  # noqa: SLF001 - its own kind; a thread that is not here may have held it
        directory._let_go()  # noqa: SLF001 - its own kind


os.register_at_fork(after_in_child=_forked)
