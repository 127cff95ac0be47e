"""Work on a whole LMDB file: making it, rewriting it in order, checking it, who reads it, and its errors in words.

Covers:     a new file, the file of a compaction and putting it in place, the structure of pages, the table of readers.
Not here:   transactions (`engines.lmdb`), when to compact (`store.compacting`).
Holds:      one page of entries while it rewrites; while it checks, a few bytes for each page of the file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import lmdb
import lmdb.verify

from flatwater import errors, limits, units

MAKING: Final = "compact.tmp"  # the directory of a compaction at work
DATA: Final = "data.mdb"
LOCK: Final = "lock.mdb"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READER_BYTES = 64  # of each slot in LMDB's table of readers; its head takes three of them
_CREATE_MAP_BYTES = 1 << 20  # of address space, while a new file of two pages is written
_LENGTH_TRIES = 5  # of a look at a file that another process writes to


def said(error: lmdb.Error, path: str) -> errors.FlatwaterError:
    """An error of LMDB in our words."""
    code = getattr(error, "code", 0) or 0
    if isinstance(error, (lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.InvalidError, lmdb.VersionMismatchError)):
        return errors.CorruptError(f"{path} is damaged, or no LMDB file: {error}.", hint="Restore it from a backup.")
    if isinstance(error, lmdb.BadValsizeError):
        return errors.UsageError(f"a key of this length does not fit into {path}: {error}.")
    if isinstance(error, lmdb.ReadonlyError):
        return errors.UsageError(f"the store {path} is open for reading.", hint="Open it without read_only.")
    if isinstance(error, lmdb.ReadersFullError):
        return errors.LimitReached(
            f"{limits.STORE_READERS_MAX} read transactions of {path} are open at once.",
            what="STORE_READERS_MAX", limit=limits.STORE_READERS_MAX, hint="Use fewer threads, or end those that hang.",
        )  # fmt: skip
    if code > 0:
        return _of_system(code, path)
    if "already open" in str(error):
        return errors.UsageError(
            f"{path} is open in this process already.", hint="Share what has it open: it is thread-safe."
        )
    if "closed" in str(error):
        return errors.ClosedError(f"the store {path} was closed.", hint="Open it again.")
    return errors.BrokenError(f"{path}: {error}.")


def _of_system(code: int, path: str) -> errors.FlatwaterError:
    """An error of the operating system that LMDB met."""
    if code in _FULL:
        return full(code, path)
    if code == errno.EIO:  # LMDB says so, too, when less was written than it asked for
        return errors.BrokenError(
            f"the disk of {path} is full ({free_room(path)} free), broken, or a file may not grow (ulimit -f): "
            "nothing of this transaction was written.",
            hint="Make room and try again.",
        )
    if code == errno.ENOENT:
        return errors.CorruptError(f"{path} is gone, or its {DATA}.", hint="Restore it from a backup.")
    if code in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return errors.BrokenError(
            f"{path} cannot be opened: {os.strerror(code).lower()}.",
            hint="Check who owns it. Store(..., read_only=True) only reads it.",
        )
    return errors.BrokenError(f"{path}: {os.strerror(code).lower()}.")


def denied(path: str) -> errors.BrokenError:
    """Its file may not be read."""
    return errors.BrokenError(f"{path} cannot be opened: permission denied.", hint="Check who owns its files.")


def full(code: int, path: str) -> errors.BrokenError:
    """There is no room for what is to be written."""
    if code == errno.EFBIG:
        return errors.BrokenError(
            f"the files of {path} may not grow (ulimit -f): nothing of this transaction was written.",
            hint="Raise the limit and try again.",
        )
    return errors.BrokenError(
        f"the disk of {path} is full: nothing of this transaction was written.", hint="Make room and try again."
    )


def broken(error: OSError, path: str, what: str) -> errors.BrokenError:
    """An error of the operating system in our words."""
    hint = "Make room and try again: nothing is lost." if error.errno in _FULL else ""
    return errors.BrokenError(f"{path} could not be {what}: {(error.strerror or str(error)).lower()}.", hint=hint)


# --- a new file -------------------------------------------------------------------------------------------------------


def create(path: str) -> None:
    """An empty file in the directory `path`, all at once; one that is there stays.

    Raises:
        BrokenError: the disk is full or broken.
    """
    file = os.path.join(path, DATA)
    if os.path.exists(file) and os.path.getsize(file):
        return
    made = os.path.join(path, DATA + ".tmp")
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(made)
        lmdb.open(made, subdir=False, lock=False, map_size=_CREATE_MAP_BYTES, mode=0o644).close()
        _sync(made)
        os.replace(made, file)
        _sync(path)
    except (lmdb.Error, OSError) as error:
        with contextlib.suppress(OSError):
            os.unlink(made)
        raise (said(error, path) if isinstance(error, lmdb.Error) else broken(error, file, "made")) from error


def make_lock_file(path: str) -> None:
    """Room on the disk for LMDB's table of readers, before LMDB maps it: it takes none by itself.

    A page of it that cannot be had on a full disk would kill the process, instead of being an error.

    Raises:
        BrokenError: the disk is full.
    """
    file = os.path.join(path, LOCK)
    if not hasattr(os, "posix_fallocate") or os.path.lexists(file):
        return
    try:
        lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except OSError as error:
        if error.errno not in _FULL:
            return  # LMDB says what it is, or goes on without
        raise full(error.errno, path) from error
    try:
        os.posix_fallocate(lock, 0, (limits.STORE_READERS_MAX + 2) * _READER_BYTES)
    except OSError as error:
        if error.errno in _FULL:
            os.unlink(file)
            raise full(error.errno, path) from error
    finally:
        os.close(lock)


def complete(env: lmdb.Environment, path: str, *, read_only: bool) -> None:
    """See that nothing is missing at the end of a file, and give it the length that it says it has.

    Pages that one transaction takes at the end and gives back are never written: a whole file may be shorter than it says.
    Only such a file is looked through.

    Raises:
        CorruptError: it was cut off.
    """
    file = os.path.join(path, DATA)
    missing, found = 0, [""]
    for _try in range(_LENGTH_TRIES):
        before = env.info()["last_txnid"]
        if _missing_bytes(env, file) <= 0:
            return
        with env.begin(write=not read_only):  # so that others do not write, if that is in our hands
            missing = _missing_bytes(env, file)
            if missing <= 0:
                return
            found = verify(path)
            if not found:
                if not read_only:
                    _lengthen(file, missing)
                return
        if env.info()["last_txnid"] == before:
            break
    size = os.path.getsize(file)
    raise errors.CorruptError(
        f"{file} is cut off: it has {units.format_bytes(size)} of {units.format_bytes(size + missing)}; {found[0]}.",
        hint="Restore it from a backup.",
    )


def _missing_bytes(env: lmdb.Environment, file: str) -> int:
    return (env.info()["last_pgno"] + 1) * env.stat()["psize"] - os.path.getsize(file)


def _lengthen(file: str, more: int) -> None:
    """Make room at the end; what cannot be had is looked for again when it is opened the next time."""
    if not hasattr(os, "posix_fallocate"):
        return
    with contextlib.suppress(OSError), open(file, "r+b") as stream:
        size = os.fstat(stream.fileno()).st_size
        os.posix_fallocate(stream.fileno(), size + more - 1, 1)  # never makes it shorter, and leaves what is there


def make_durable(path: str) -> None:
    """A copy that was written, and its name, are on the disk.

    Raises:
        BrokenError: they are not.
    """
    try:
        _sync(os.path.join(path, DATA))
        _sync(path)
    except OSError as error:
        raise broken(error, path, "written") from error


def clear(path: str) -> None:
    """Remove what a compaction or a creation left that was killed. Only while no other one can be at work."""
    shutil.rmtree(os.path.join(path, MAKING), ignore_errors=True)
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(path, DATA + ".tmp"))


def _sync(path: str) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


# --- compaction -------------------------------------------------------------------------------------------------------


def rewrite(env: lmdb.Environment, path: str) -> str:
    """All entries in their order, in a new file beside the old one; its directory.

    Raises:
        BrokenError: there is no room for it; the old file is as it was.
    """
    made = os.path.join(path, MAKING)
    shutil.rmtree(made, ignore_errors=True)
    info, stat = env.info(), env.stat()
    try:
        os.mkdir(made)
        with (
            env.begin(buffers=True) as source,
            # Nobody else knows of it, and a lock file on a full disk would kill the process: see `make_lock_file`.
            lmdb.open(made, map_size=info["map_size"], sync=False, lock=False, max_spare_txns=1) as new,
        ):
            turns = iter(source.cursor())
            pages = stat["leaf_pages"] + stat["overflow_pages"]
            mean = max(1, pages * stat["psize"] // max(1, stat["entries"]))
            rows = max(1, limits.STORE_REWRITE_BYTES // mean)
            while True:
                part = _within(turns, limits.STORE_REWRITE_BYTES) if stat["overflow_pages"] else islice(turns, rows)
                with new.begin(write=True) as txn:
                    taken, _added = txn.cursor().putmulti(part, append=True)
                if not taken:
                    break
            new.sync(True)  # noqa: FBT003 - lmdb's signature
    except BaseException as error:
        shutil.rmtree(made, ignore_errors=True)
        if isinstance(error, lmdb.Error):
            raise said(error, path) from error
        if isinstance(error, OSError):
            raise broken(error, path, "rewritten") from error
        raise
    return made


def _within(turns: Iterator[tuple[Any, Any]], size: int) -> Iterator[tuple[Any, Any]]:
    """Entries of so many bytes, the last one may be more: where large ones stand together, their number bounds nothing."""
    for key, value in turns:
        yield key, value
        size -= len(key) + len(value)
        if size <= 0:
            return


def put_in_place(made: str, path: str) -> None:
    """The file of a compaction instead of the old one, all at once, whatever kills the process.

    Raises:
        BrokenError: it could not be; the old file is as it was.
    """
    file = os.path.join(path, DATA)
    new = os.path.join(made, DATA)
    try:
        old, state = os.stat(file), os.stat(new)
        if (state.st_uid, state.st_gid) != (old.st_uid, old.st_gid):
            os.chown(new, old.st_uid, old.st_gid)  # root compacts for others, who go on writing
        os.chmod(new, old.st_mode & 0o777)
        os.replace(new, file)
        _sync(path)
    except OSError as error:
        raise broken(error, file, "exchanged") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


# --- what is in it ----------------------------------------------------------------------------------------------------


def verify(path: str) -> list[str]:
    """What is wrong with the pages of a file that nobody writes to meanwhile."""
    file = os.path.join(path, DATA)
    try:
        return [str(finding) for finding in lmdb.verify.verify(file, subdir=False)]  # type: ignore[no-untyped-call]
    except lmdb.verify.VerifyError as error:
        return [f"{file}: {error}"]
    except OSError as error:
        raise broken(error, file, "read") from error


def readers_of(table: str, last: int) -> dict[tuple[int, int], int]:
    """LMDB's table of readers: process and transaction, and how many commits came since."""
    found = {}
    for line in table.splitlines():
        words = line.split()
        if len(words) == 3 and words[0].isdigit() and words[2].isdigit():  # noqa: PLR2004 - process, thread, transaction
            found[int(words[0]), int(words[2])] = max(0, last - int(words[2]))
    return found


def free_room(path: str) -> str:
    """How much room the disk has, for people."""
    try:
        return units.format_bytes(shutil.disk_usage(path).free)
    except OSError:
        return "who knows how much"
