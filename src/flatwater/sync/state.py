"""What a sync knows of each file, on disk, in one store: kept over runs and kills.

Covers:     records of files, what is to be done with which of them, the present run and how far its listing is.
Not here:   what a record has (`sync.record`), the states of a file (`sync.status`), whoever changes them.
Holds:      what the store holds, one transaction, two pages for each walk; see `State.bytes_max`.

Partitions of the store: `files` has a record for each path; `work` has the paths that are not SYNCED, by what is to be done
with them, so that nobody walks over millions of files to find a few; `failures` says why copying failed; `cases` has the place
of each file where names that differ only in case are one (`sync.cases`); `versions` has further ones that a killed run may have
published of files that are marked; `run` has the present run, its ranges, and which
remotes the state is of. A file's record and its work change in one transaction, with the counts and the place in the listing:
whatever ends the process, they fit each other.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, NamedTuple, Self, final

import msgspec

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.store.batches import Batches
from flatwater.store.store import Store
from flatwater.sync.record import NO_SIZE, Record, unpacked
from flatwater.sync.status import Status

_PAIR, _RUN, _RANGE = "pair", "run", "range"
_FORMAT = 1


@final
class Work(IntEnum):
    """What is to be done with a file. The numbers are in states on disk."""

    COPY = 1  # NEW, ERROR
    DELETE = 2  # DELETED_ON_SOURCE
    DECIDE = 3  # TEMP_DELETED: when the listing is complete


WORK_OF = {
    Status.NEW: Work.COPY,
    Status.ERROR: Work.COPY,
    Status.DELETED_ON_SOURCE: Work.DELETE,
    Status.TEMP_DELETED: Work.DECIDE,
    Status.SYNCED: None,
}


class Change(NamedTuple):
    """What becomes of the record of one path; None where there is none."""

    path: bytes
    before: Record | None
    after: Record | None


class Pair(msgspec.Struct, frozen=True):
    """Which two remotes a state is of, without anything secret."""

    source: str
    destination: str
    format: int = _FORMAT


class Run(msgspec.Struct):
    """The present run, or the last one.

    Attributes:
        generation: counts scans.
        phase: "scan", "copy", "delete", or "" when it is over.
        scan_begun_s: when its listing began, in seconds since 1970.
        is_complete: whether the listing was, without a folder that could not be read.
        counts: files of each status, by its number.
        copy_bytes: of the files that are to be copied, as far as their sizes are known.
        compared: how versions are told apart.
        patterns: which files are taken.
        takes_cases_for_one: whether "a" and "A" are one file at the destination; None where it was not asked.
        is_unclean: whether a killed run may have left unfinished files, of paths that are not copied again by now.
    """

    generation: int = 0
    phase: str = ""
    scan_begun_s: float = 0.0
    is_complete: bool = False
    counts: list[int] = msgspec.field(default_factory=lambda: [0] * len(Status))
    copy_bytes: int = 0
    compared: str = ""
    patterns: str = ""
    takes_cases_for_one: bool | None = None
    is_unclean: bool = False


class Range(msgspec.Struct):
    """A part of the listing: files behind `after`, and before `before` unless that is empty.

    Attributes:
        done: the last path that was looked at, and is in the state.
        is_done: all of it is.
    """

    after: bytes = b""
    before: bytes = b""
    done: bytes = b""
    is_done: bool = False

    @property
    def start(self) -> bytes:
        """Files behind this path are still to be looked at."""
        return max(self.after, self.done)


@final
class State:
    """The state of one pair of remotes. For one thread; one process at a time writes it.

    Args:
        path: of its directory.
        pair: the remotes.
        read_only: nothing is changed, and nothing is made: without a state there it is an empty one.
        traceless: with `read_only`, not even LMDB's table of readers is written, where no run is at work; none can begin.
        durability: of each write, as a store's `sync`.

    Raises:
        UsageError: it is of other remotes, or no state.
        BrokenError: another process works with it, or the disk is full or broken.
        CorruptError: it is damaged.
    """

    def __init__(
        self, path: str, pair: Pair, *, read_only: bool = False, traceless: bool = False, durability: Any = "full"
    ) -> None:
        self.path = path
        self.read_only = read_only
        self._lock = -1
        self._store: Store | None = None
        self._room = Budget(self.bytes_max(limits.SYNC_WALKS_MAX), name="sync.state")  # who opens it takes these bytes
        self.run = Run()
        is_there = os.path.exists(os.path.join(path, "store.json"))
        if read_only and not is_there:
            return
        if traceless:
            self._lock = _locked(path, for_reading=True)
        elif not read_only and is_there:
            self._lock = _locked(path)
        try:
            with self._room:
                self._store = store = Store(
                    path, "lmdb", durability, read_only=read_only, traceless=traceless and self._lock >= 0
                )
        except errors.CorruptError as error:
            error.hint = (
                "Take it away, and say check_destination=True (--check-destination): what was copied is found there."
            )
            self.close()
            raise
        except BaseException:
            self.close()
            raise
        try:
            self.files = store.partition("files")
            self.work = store.partition("work")
            self.failures = store.partition("failures")
            self.cases = store.partition("cases")
            self.versions = store.partition("versions")
            self.meta = store.partition("run")
            if not read_only and self._lock < 0:
                self._lock = _locked(path)
            self._check_pair(pair)
            found = self.meta.get((_RUN,))
            if found is not None:
                self.run = msgspec.msgpack.decode(found, type=Run)
        except BaseException:
            self.close()
            raise

    def _check_pair(self, pair: Pair) -> None:
        found = self.meta.get((_PAIR,))
        if found is None:
            if self.files.count_estimate() or any(self._need().batches(rows=1, bytes=limits.SYNC_PAGE_BYTES)):
                raise errors.UsageError(f"{self.path} is a store, and no state of a sync.", hint="Give another path.")
            if not self.read_only:
                self.meta.put((_PAIR,), msgspec.msgpack.encode(pair))
            return
        known = msgspec.msgpack.decode(found, type=Pair)
        if known.format != _FORMAT:
            raise errors.BrokenError(f"{self.path} is of format {known.format}; this version knows {_FORMAT}.")
        if known != pair:
            raise errors.UsageError(
                f"{self.path} is the state of {known.source} and {known.destination}, not of {pair.source} and {pair.destination}.",
                hint="Each pair has a state of its own: give another path.",
            )

    def _need(self) -> Store:
        if self._store is None:
            raise errors.ClosedError(f"the state {self.path} is closed.")
        return self._store

    # --- reading ------------------------------------------------------------------------------------------------------

    def pages(self, after: bytes, before: bytes) -> Iterator[list[tuple[tuple[bytes], bytes]]]:
        """Records of all paths behind `after` and before `before`, as pairs of a key and bytes, in the order of the paths."""
        if self._store is None:
            return
        stop = (before,) if before else None
        start = (after + b"\x00",) if after else None
        with self._room:
            walk = self.files.batches(rows=limits.SYNC_BATCH, bytes=limits.SYNC_PAGE_BYTES, start=start, stop=stop)
        with walk:
            yield from walk

    def todo(self, kind: Work) -> Iterator[list[tuple[bytes, int]]]:
        """Paths with that work, in their order, each with the size it is known to have (0: not known)."""
        if self._store is None:
            return
        with self._room:
            walk = self.work.batches((int(kind),), rows=limits.SYNC_BATCH, bytes=limits.SYNC_PAGE_BYTES)
        with walk:
            for page in walk:
                yield [(key[1], int.from_bytes(value, "little")) for key, value in page]

    def records(self, paths: list[bytes]) -> list[bytes | None]:
        """Records of these paths, as bytes."""
        return self.files.get_many([(path,) for path in paths]) if self._store is not None else [None] * len(paths)

    def count(self, *statuses: Status) -> int:
        """How many files have one of these."""
        return sum(self.run.counts[status] for status in statuses)

    def failure(self, path: bytes) -> str:
        """Why copying it failed; "" if that is not known."""
        found = self.failures.get((path,)) if self._store is not None else None
        return found.decode("utf-8", "replace") if found else ""

    @property
    def file_bytes(self) -> int:
        """What it takes on disk."""
        if self._store is None:
            return 0
        folder = os.path.join(self.path, "lmdb")
        total = 0
        with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
            for entry in entries:
                total += entry.stat().st_blocks * 512
        return total

    # --- writing ------------------------------------------------------------------------------------------------------

    def note_version(self, path: bytes, version: Record) -> None:
        """One more that a marked file may have at the destination, beside that of its record. By any thread; rare."""
        self.versions.put((path, version.packed()), b"")

    def versions_of(self, path: bytes) -> list[Record]:
        """Those that were noted."""
        with self._room:
            walk = self.versions.batches((path,), rows=limits.SYNC_BATCH, bytes=limits.SYNC_PAGE_BYTES)
        with walk:
            return [unpacked(key[1]) for page in walk for key, _value in page]

    def forget_versions(self) -> None:
        """No file is marked any more."""
        if self.versions.count_estimate():
            self.versions.clear()

    def commit_each(self, changes: Sequence[Change]) -> None:
        """Write changes that may be many, so many at a time as one commit may have: each such part is all or nothing."""
        for start in range(0, len(changes), limits.SYNC_COMMIT_ROWS):
            self.commit(changes[start : start + limits.SYNC_COMMIT_ROWS])

    def commit(
        self,
        changes: Iterable[Change] = (),
        *,
        ranges: Mapping[int, Range] | None = None,
        failures: Mapping[bytes, str] | None = None,
    ) -> None:
        """Write changes of files, what they mean for the work and the counts, the run, and places in the listing: all or nothing.

        Args:
            changes: of files, each of another one.
            ranges: places in the listing, by their number.
            failures: reasons of those that become ERROR; a reason goes when its file is no ERROR any more.
        """
        run = self.run
        counts, copy_bytes = list(run.counts), run.copy_bytes
        files: list[tuple[tuple[bytes], bytes | None]] = []
        work: list[tuple[tuple[int, bytes], bytes | None]] = []
        reasons: dict[bytes, str | None] = dict(failures or {})
        for path, before, after in changes:
            files.append(((path,), None if after is None else after.packed()))
            was = None if before is None else WORK_OF[before.status]
            becomes = None if after is None else WORK_OF[after.status]
            if before is not None:
                counts[before.status] -= 1
                copy_bytes -= _copied(before, was)
            if after is not None:
                counts[after.status] += 1
                copy_bytes += _copied(after, becomes)
            if was is not None and was is not becomes:
                work.append(((int(was), path), None))
            if (
                before is not None
                and before.status is Status.ERROR
                and (after is None or after.status is not Status.ERROR)
            ):
                reasons[path] = None
            if becomes is not None and after is not None:
                size = after.size if becomes is Work.COPY and after.size != NO_SIZE else 0
                work.append(((int(becomes), path), size.to_bytes(8, "little")))
        meta: list[tuple[tuple[Any, ...], bytes | None]] = []
        for number, part in (ranges or {}).items():
            meta.append(((_RANGE, number), msgspec.msgpack.encode(part)))
        said = [((path,), None if text is None else _shortened(text)) for path, text in reasons.items()]
        after_run = msgspec.structs.replace(run, counts=counts, copy_bytes=copy_bytes)
        meta.append(((_RUN,), msgspec.msgpack.encode(after_run)))
        self._need().write_to({self.files: files, self.work: work, self.failures: said, self.meta: meta})
        run.counts, run.copy_bytes = counts, copy_bytes

    def begin_scan(self, ranges: list[Range]) -> None:
        """Forget the ranges of the scan before, and keep these."""
        old = [(key, None) for page in self._range_pages() for key, _value in page]
        new = [((_RANGE, number), msgspec.msgpack.encode(each)) for number, each in enumerate(ranges)]
        run = ((_RUN,), msgspec.msgpack.encode(self.run))
        self.meta.write([*old, *new, run])

    def ranges(self) -> list[Range]:
        """Those of the present scan, in their order."""
        return [msgspec.msgpack.decode(value, type=Range) for page in self._range_pages() for _key, value in page]

    def _range_pages(self) -> Batches:
        with self._room:
            return self.meta.batches((_RANGE,), bytes=limits.SYNC_PAGE_BYTES)

    @staticmethod
    def bytes_max(walks: int) -> int:
        """The most it holds with so many walks over it, in bytes; not taken from any budget by itself."""
        total = 0
        total += limits.SYNC_STORE_BYTES  # the store
        total += limits.SYNC_WRITE_BYTES  # one transaction
        total += walks * 2 * limits.SYNC_PAGE_BYTES  # two pages each
        return total

    def close(self) -> None:
        """End; more than once does no harm."""
        store, self._store = self._store, None
        if store is not None:
            store.close()
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _copied(record: Record, work: Work | None) -> int:
    return record.size if work is Work.COPY and record.size != NO_SIZE else 0


def _shortened(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")[: limits.SYNC_FAILURE_BYTES]


def _locked(path: str, *, for_reading: bool = False) -> int:
    """Let no second process work with the state: its descriptor is kept open.

    For reading, others that read may do so, too, and -1 tells that one is at work which may write.
    """
    try:
        lock = os.open(os.path.join(path, "store.json"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1  # the store says what is wrong with it
    try:
        fcntl.flock(lock, (fcntl.LOCK_SH if for_reading else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        if error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
            raise
        if for_reading:
            return -1
        raise errors.BrokenError(
            f"another process works with the state {path}, or plans with it.", hint="Wait for it to end, or end it."
        ) from None
    return lock
