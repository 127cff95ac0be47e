"""Work on the whole of a RocksDB directory: copying it, checking it, what its files say, and its errors in words.

Covers:     a copy of one version, reading all of it, a directory that may not be changed, room on the disk, estimates.
Not here:   entries (`engines.rocksdb`), how memory is divided (`engines.rocksdb_options`).
Holds:      what RocksDB notes of each table file, about 1 KiB; while it checks, one entry.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, Final

import rocksdict

from flatwater import errors, limits
from flatwater.store.engines import base
from flatwater.store.engines.rocksdb_options import Memory, rocksdb_options

COPYING: Final = "backup.tmp"  # a copy on its way to another disk
FINDINGS_MAX: Final = limits.STORE_FINDINGS_MAX
_OWN = ("LOCK", "LOG", "rocksdict-config.json")  # of whoever has it open: nobody else needs them
STALL: Final = "Write stall"  # in the error of a write that does not wait
_SYSTEM_ERRORS = (
    ("No space left on device", errno.ENOSPC),
    ("Disk quota exceeded", errno.EDQUOT),
    ("File too large", errno.EFBIG),
    ("Permission denied", errno.EACCES),
    ("Operation not permitted", errno.EPERM),
    ("Read-only file system", errno.EROFS),
    ("Too many open files", errno.EMFILE),
    ("Input/output error", errno.EIO),
)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_FILE = re.compile(r"\d{6,}\.(?:sst|log|blob)|MANIFEST-\d+|OPTIONS-\d+|CURRENT")

File = dict[str, Any]
_owner: dict[str, int] = {}  # the process whose threads RocksDB has


# --- errors -----------------------------------------------------------------------------------------------------------


def said(error: Exception, path: str) -> errors.FlatwaterError:
    """An error of RocksDB, of its Python library or of the system in our words.

    The frames behind it are let go of: an iterator in them would keep the files open for as long as the error is kept.
    """
    if isinstance(error, errors.FlatwaterError):
        return error
    if type(error) is not Exception and not isinstance(error, (OSError, rocksdict.DbClosedError)):
        raise error  # none of the library's
    error.__traceback__ = None
    text = " ".join(str(error).split())
    code = getattr(error, "errno", None) or next((code for words, code in _SYSTEM_ERRORS if words in text), 0)
    if isinstance(error, rocksdict.DbClosedError) or "shutdown in progress" in text.lower():
        return errors.ClosedError(f"the store {path} was closed.", hint="Open it again.")
    if "lock hold by current process" in text:
        return errors.UsageError(
            f"{path} is open in this process already.", hint="Share what has it open: it is thread-safe."
        )
    if "While lock file" in text and code not in _DENIED | _FULL:
        return errors.BrokenError(f"another process has {path} open.", hint="End it, or try again later.")
    if code in _FULL | _DENIED | {errno.EMFILE, errno.EIO}:
        return _of_system(code, text, path)
    if "not supported operation in read only mode" in text.lower():
        return errors.UsageError(f"the store {path} is open for reading.", hint="Open it without read_only.")
    if _is_damage(text):
        hint = "Restore it from a backup."
        if not _FILE.search(text) or ".log" in text:  # of a record in the log, RocksDB does not name the file
            hint = 'Open it once with sync="normal": what stands behind the damage in its log is dropped then; or restore it.'
        return errors.CorruptError(f"{path} is damaged: {text}.", hint=hint)
    return errors.BrokenError(f"{path}: {text}.")


def _of_system(code: int, text: str, path: str) -> errors.FlatwaterError:
    if code in _FULL:
        return errors.BrokenError(
            f"the disk of {path} is full, or a file may not grow: {text}.",
            hint="Make room and try again: what was acknowledged is there.",
        )
    if code in _DENIED:
        reason = os.strerror(code).lower()
        return errors.BrokenError(
            f"{path} cannot be opened or written: {reason}.",
            hint="Check who owns its files; to read those that you may read, take read_only=True.",
        )
    if code == errno.EMFILE:
        return errors.BrokenError(
            f"{path}: this process has too many files open.", hint="Lower max_open_files, or raise `ulimit -n`."
        )
    return errors.BrokenError(f"the disk of {path} cannot be read or written: {text}.", hint="Look at the disk.")


def _is_damage(text: str) -> bool:
    words = ("corruption", "checksum", "no such file", "bad table magic", "truncated", "does not exist", "mismatch")
    return any(word in text.lower() for word in words)


def failed(path: str) -> errors.FlatwaterError:
    """Why a flush or compaction in the background failed: only RocksDB's own log says it."""
    words = ""
    with contextlib.suppress(OSError), open(os.path.join(path, "LOG"), errors="replace") as log:
        for line in log:
            if "IO error" in line or "Corruption" in line:
                words = line
    found = said(Exception(words.rpartition("] ")[2].strip() or "RocksDB does not say why"), path)
    return found if isinstance(found, errors.BrokenError) else errors.BrokenError(str(found))


# --- the directory ----------------------------------------------------------------------------------------------------


def _begin() -> None:
    """Before RocksDB is used: its threads belong to the process that used it first, and a forked one would wait for them.

    Raises:
        UsageError: this process was forked from one that has used it.
    """
    if _owner.setdefault("process", os.getpid()) != os.getpid():
        raise errors.UsageError(
            "RocksDB was used in the process that this one was forked from, and its threads are not here.",
            hint="Start processes with multiprocessing's 'spawn', or use backend='lmdb'.",
        )


def create(path: str) -> None:
    """An empty database in the directory `path`; one that is there stays.

    Raises:
        BrokenError: the disk is full or broken.
    """
    if not is_new(path):
        return
    _begin()
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)  # noqa: FBT003 - the library's signature
    try:
        rocksdict.Rdict(path, options).close()
    except Exception as error:
        raise said(error, path) from error


def opened(path: str, memory: Memory, sync: str, *, view: str = "") -> rocksdict.Rdict:
    """The database, open.

    Args:
        path: of its directory.
        memory: of the engine.
        sync: "full", "normal" or "off".
        view: a directory of links that is opened instead, for reading.
    """
    _begin()
    options = rocksdb_options(memory, create=is_new(path), is_strict=sync == "full")
    access = rocksdict.AccessType.read_only(False) if view else rocksdict.AccessType.read_write()  # noqa: FBT003 - with the log
    try:
        # The family is named: without it, RocksDB takes the options that it noted the last time instead of these.
        db = rocksdict.Rdict(view or path, options, {"default": options}, access)
        writing: Any = rocksdict.WriteOptions()  # whose stub calls the last one a method
        writing.sync = sync == "full"
        writing.no_slowdown = True  # the engine waits instead, without Python's lock
        writing.disable_wal = sync == "off"
        db.set_write_options(writing)
    except Exception as error:
        raise said(error, path) from error
    return db


def is_new(path: str) -> bool:
    """Whether there is no database yet.

    Raises:
        CorruptError: there are files of one, and the one that names the others is gone.
    """
    if os.path.exists(os.path.join(path, "CURRENT")):
        return False
    try:
        left = [name for name in os.listdir(path) if name.endswith(".sst")]
    except FileNotFoundError:
        return True
    except OSError as error:
        raise said(error, path) from error
    if left:
        raise errors.CorruptError(
            f"{path} has {len(left)} table files, such as {left[0]}, and no CURRENT, which says how they belong together.",
            hint="Restore it from a backup.",
        )
    return True


def view_of(path: str) -> str:
    """A directory of links to the files: RocksDB's library notes things where it reads, and here nothing may change.

    Raises:
        BrokenError: there is no place for it, or no right to read `path`.
    """
    view = ""
    try:
        names = [name for name in os.listdir(path) if not name.startswith(_OWN)]
        view = tempfile.mkdtemp(prefix="flatwater-")
        for name in names:
            os.symlink(os.path.join(path, name), os.path.join(view, name))
    except OSError as error:
        drop_view(view)
        raise said(error, path) from error
    return view


def drop_view(view: str) -> None:
    """Remove a directory of links; an empty name is none."""
    if view:
        shutil.rmtree(view, ignore_errors=True)


def size_of(path: str) -> int:
    """Bytes of all files."""
    total = 0
    with os.scandir(path) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # RocksDB removes files at any time
                if entry.is_file(follow_symlinks=False):
                    total += entry.stat().st_size
    return total


def probe(path: str, size: int) -> None:
    """Whether `size` bytes can be written now: the disk, a quota, a limit of the process.

    Raises:
        OSError: they cannot.
    """
    file = os.path.join(path, "probe.tmp")
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
    finally:
        os.close(descriptor)
        os.unlink(file)


def copy(db: rocksdict.Rdict, path: str, target: str, *, read_only: bool) -> None:
    """All of one version, in `target`, an empty directory. On the same disk, table files are shared: they never change."""
    if read_only:  # nobody writes to it
        _copy_files(path, target)
        return
    if os.stat(path).st_dev == os.stat(target).st_dev:
        os.rmdir(target)
        rocksdict.Checkpoint(db).create_checkpoint(target)
        return
    made = os.path.join(path, COPYING)
    shutil.rmtree(made, ignore_errors=True)
    try:
        rocksdict.Checkpoint(db).create_checkpoint(made)
        _copy_files(made, target)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _copy_files(path: str, target: str) -> None:
    for name in os.listdir(path):
        if name.startswith(_OWN) or not os.path.isfile(os.path.join(path, name)):
            continue
        file = os.path.join(target, name)
        shutil.copyfile(os.path.join(path, name), file)
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def unwritten(db: rocksdict.Rdict, path: str, memory: Memory) -> list[base.Write]:
    """What an open database has, and its files do not: what is in its write buffers, and in no log.

    Both are read from end to end. Holds as much as the write buffers do.
    """
    view = view_of(path)
    found: list[base.Write] = []
    try:
        on_disk = opened(path, memory, "off", view=view)
        now, then = db.iter(), on_disk.iter()
        now.seek_to_first()
        then.seek_to_first()
        while True:
            new, old = now.key(), then.key()
            if new is None and old is None:
                break
            if old is None or (new is not None and new < old):
                found.append((new, now.value()))
                now.next()
            elif new is None or old < new:
                found.append((old, None))
                then.next()
            else:
                if (value := now.value()) != then.value():
                    found.append((new, value))
                now.next()
                then.next()
        now.status()
        then.status()
        del then
        on_disk.close()
    finally:
        drop_view(view)
    return found


# --- reading all of it ------------------------------------------------------------------------------------------------


def findings(db: rocksdict.Rdict) -> list[str]:
    """What is wrong: every block of data is read anew with its checksum; behind damage it goes on with the next file."""
    reading = rocksdict.ReadOptions()
    fill_cache: Any = reading.fill_cache  # whose stub leaves its argument out
    fill_cache(False)  # noqa: FBT003 - what is in the cache stays there
    reading.set_verify_checksums(True)
    found: list[str] = []
    low = b""
    ends = sorted({file["end_key"] for file in db.live_files()})
    while len(found) < FINDINGS_MAX:
        last, wrong = _walked(db, reading, low)
        if not wrong:
            break
        found += [words for words in wrong if words not in found]
        end = next((end for end in ends if end > (last or low)), None)  # of the file that cannot be read
        if end is None:
            break
        low = end + b"\x00"
    return found


def _walked(db: rocksdict.Rdict, reading: rocksdict.ReadOptions, low: bytes) -> tuple[bytes | None, list[str]]:
    """The last key that could be read from `low` on, and what is wrong there."""
    cursor = db.iter(reading)
    cursor.seek(low)
    last: bytes | None = None
    while (key := cursor.key()) is not None:
        if len(key) < base.HEAD_BYTES:
            return key, [f"the entry {key!r:.80} belongs to no partition"]
        if last is not None and key <= last:
            return key, [f"the entry {key!r:.80} stands behind {last!r:.80}, out of order"]
        cursor.value()
        last = key
        cursor.next()
    try:
        cursor.status()
    except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
        text = " ".join(str(error).split())
        file = _FILE.search(text)
        return last, [f"{file[0]}: {text}" if file else text]
    return last, []


# --- what the files say -----------------------------------------------------------------------------------------------


def entries_of(files: Sequence[File], low: bytes, high: bytes, counted: Callable[[bytes, bytes], int]) -> int:
    """About how many entries a range has, by what its files say.

    Most entries are in one level, whose files follow each other. What is in the range at the places of its first and last
    file is counted; the files between have all of theirs in it. Files of other levels bring what is new, what is written
    once more (counted twice), and deletions: one that crosses an end of this middle has the share in it that the main level
    has.

    Args:
        files: of the store.
        low: the first key.
        high: the key behind the last one.
        counted: how many entries are between two keys.
    """
    levels: dict[int, int] = {}
    for file in files:
        levels[file["level"]] = levels.get(file["level"], 0) + _live(file)
    main = max(levels, key=lambda level: levels[level], default=0)
    inside = [file for file in files if file["level"] == main and file["end_key"] >= low and file["start_key"] < high]
    begin = max((file["end_key"] + b"\x00" for file in inside if file["start_key"] < low), default=low)
    end = min((file["start_key"] for file in inside if file["end_key"] >= high), default=high)
    if begin >= end or not inside:
        return counted(low, high)
    total = sum(_live(file) for file in inside if file["start_key"] >= begin and file["end_key"] < end)
    share = total / max(1, levels[main])
    for file in files:
        if file["level"] != main and file["end_key"] >= begin and file["start_key"] < end:
            is_whole = file["start_key"] >= begin and file["end_key"] < end
            total += _live(file) if is_whole else int(_live(file) * share)
    return counted(low, begin) + max(0, total) + counted(end, high)


def _live(file: File) -> int:
    """Entries that a file stands for: a deletion counts against the one that it deletes, in a file below perhaps."""
    return int(file["num_entries"] - 2 * file["num_deletions"])


def room_of(db: rocksdict.Rdict, path: str, memory: Memory) -> base.Room:
    """What a database takes on disk and in memory."""
    number = db.property_int_value
    files: Sequence[File] = db.live_files()
    size = size_of(path)
    unflushed = sum(number(f"rocksdb.num-deletes-{part}") or 0 for part in ("active-mem-table", "imm-mem-tables"))
    live = min(number("rocksdb.estimate-live-data-size") or 0, live_bytes(files, unflushed))
    levels: dict[int, int] = {}
    for file in files:
        levels[file["level"]] = levels.get(file["level"], 0) + 1
    return base.Room(
        file_bytes=size,
        used_bytes=max(0, size - (sum(file["size"] for file in files) - live)),
        entries=max(0, number("rocksdb.estimate-num-keys") or 0),
        held={**memory.held(), "table readers": number("rocksdb.estimate-table-readers-mem") or 0},
        notes={
            "files": ", ".join(f"{count} in level {level}" for level, count in sorted(levels.items())) or "none",
            "entries_unflushed": number("rocksdb.num-entries-active-mem-table") or 0,
            "compactions_running": number("rocksdb.num-running-compactions") or 0,
        },
    )


def live_bytes(files: Sequence[File], unflushed: int = 0) -> int:
    """About how many bytes of the table files stand for entries that are there.

    A deletion is small, and frees an entry of another file, or of one that is below it: they are counted over all files, and
    with them those that are in write buffers.
    """
    deleted = sum(file["num_deletions"] for file in files)
    put = sum(file["num_entries"] for file in files) - deleted
    size: int = sum(file["size"] for file in files)
    live: int = size * max(0, put - deleted - unflushed) // max(1, put)
    return live


def borders_of(files: Sequence[File], low: bytes, high: bytes, parts: int) -> list[bytes]:
    """Keys that divide a range into about equal parts: the ends of its files, of all levels, counted together."""
    ends = sorted((file["end_key"], file["num_entries"]) for file in files)
    total = sum(count for _end, count in ends)
    found: list[bytes] = []
    seen = 0
    for end, count in ends:
        seen += count
        if len(found) < parts - 1 and seen * parts >= total * (len(found) + 1) and low < end < high:
            found.append(end)
    return sorted(set(found))
