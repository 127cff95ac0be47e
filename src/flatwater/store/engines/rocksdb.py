"""Entries in RocksDB: a log-structured tree, whose memory is one cache of a fixed size.

Covers:     reading and writing, pages bounded by bytes, versions, opening, a disk that was full, other threads.
Not here:   how memory is divided (`engines.rocksdb_options`), work on whole files and errors (`engines.rocksdb_upkeep`).
Holds:      what `rocksdb_options.Tuning.bytes_max` adds up, and the page that is being read.

All partitions are in one column family: one more costs nothing. Three facts about the library that this file goes by.
Its iterators end without a word where they cannot read on, so each end is asked for its reason. The bound of an iterator
is not copied: it has to live as long. And an iterator keeps the files open: none may outlive the call that made it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar, cast, final

import rocksdict

from flatwater import errors, limits
from flatwater.store.engines import base, rocksdb_pages, rocksdb_seal, rocksdb_upkeep
from flatwater.store.engines.door import BROKEN, CLOSED, FORKED, Door
from flatwater.store.engines.rocksdb_options import Memory, Tuning
from flatwater.store.engines.rocksdb_upkeep import said

ENTRY_BYTES: Final = 4_096  # of key and value: while none was larger, a page is read without weighing each one
COUNTED_MAX: Final = limits.ROCKSDB_COUNTED_MAX
STALL_S: Final = limits.ROCKSDB_STALL_S
FILES_A_PART: Final = 8  # below so many table files for each part, keys are walked over to find borders
_LARGEST = base.SYSTEM + b"\x01largest"  # no tuple begins so: it is in nobody's range
_GENERATION_BIT = 56  # RocksDB's numbers of versions have so many bits
Result = TypeVar("Result")
_engines: weakref.WeakSet[RocksdbEngine] = weakref.WeakSet()


@final
class RocksdbEngine:
    """One RocksDB database. Thread-safe: one writes at a time.

    Args:
        path: the directory of its files.
        sync: "full", "normal" or "off".
        read_only: open for reading; nothing in the directory is changed.
        options: the keys of `rocksdb_options.KEYS`.
        budget_bytes: that are free: a small budget makes a small cache.
    """

    def __init__(
        self,
        path: str,
        *,
        sync: str = "full",
        read_only: bool = False,
        options: Mapping[str, Any] | None = None,
        budget_bytes: int | None = None,
    ) -> None:
        self.path = path
        self.sync_level = sync
        self.read_only = read_only
        self.tuning = Tuning.of(options, budget_bytes)
        self._memory = Memory(self.tuning)
        self._door = Door(path)
        self._inside = self._door.inside
        self._generation = 0  # of the open files: versions of an earlier one do not count
        self._ill: errors.FlatwaterError | None = None  # why RocksDB takes no more writes
        self._saved: list[base.Write] = []  # from write buffers that could not be put on disk
        self._is_saved = False  # they were looked through, and not opened again yet
        self._view = ""  # the directory of links that is read, where nothing may be changed
        self._largest = ENTRY_BYTES
        self._is_largest_new = False  # and not written yet
        rocksdb_seal.check(path, take=not read_only)
        self._db = self._open()
        try:
            self._largest = max(ENTRY_BYTES, int.from_bytes(self.get(_LARGEST) or b"", "big"))
        except BaseException:
            self._db.close()
            raise
        _engines.add(self)

    # --- opening and closing ------------------------------------------------------------------------------------------

    def _open(self) -> rocksdict.Rdict:
        if self.read_only:
            self._view = rocksdb_upkeep.view_of(self.path)
        try:
            return rocksdb_upkeep.opened(self.path, self._memory, self.sync_level, view=self._view)
        except BaseException:
            rocksdb_upkeep.drop_view(self._view)
            raise

    def close(self) -> None:
        """End; more than once does no harm.

        Raises:
            BrokenError: at "off", what was written last could not be put on the disk; it is closed all the same.
        """
        if self._door.reason in {FORKED, BROKEN, CLOSED}:
            return
        with self._door.writing:
            if self._door.reason:
                return
            if self.sync_level == "off":  # the last chance for what is in no log
                with contextlib.suppress(errors.FlatwaterError):
                    self._revive()
            self._door.shut(CLOSED)
            try:
                self._db.close()  # flushes
                if not self.read_only:
                    rocksdb_seal.put(self.path)
            except Exception as error:
                if self.sync_level == "off":  # else it is in the log
                    raise errors.BrokenError(
                        f"{said(error, self.path).args[0]} What was in write buffers is lost.",
                        hint='At sync="off", make room and call sync() before close().',
                    ) from error
            finally:
                rocksdb_upkeep.drop_view(self._view)

    def _after_fork(self) -> None:
        """The child has none of RocksDB's threads: whatever it did with the files would wait for them for ever."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._db))  # not even freed
        self._view = ""  # the parent's

    # --- reading ------------------------------------------------------------------------------------------------------

    def bytes_max(self) -> int:
        """The most it holds in memory, in bytes, beside pages of the file that the system may take back."""
        return self.tuning.bytes_max()

    def write_bytes_max(self, rows: int, size: int) -> int:
        """The most that a write of so many entries takes in memory, with so many bytes in keys and values."""
        total = 0
        total += size + rows * 16  # the batch
        total += size + rows * 64  # the same in a write buffer, which takes a batch whole, however large
        return total

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        token = object()  # `_read` by hand: this is what is called most
        try:
            self._inside.add(token)
            if self._door.reason:
                self._door.wait(token)
            return self._db.get(key)
        except Exception as error:
            raise self._said(error) from error
        finally:
            self._inside.discard(token)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values, all of one version."""
        wanted: Any = list(keys)
        return self._read(lambda: cast("list[bytes | None]", self._db.get(wanted)))

    def page(self, low: bytes, high: bytes, *, rows: int, bytes_max: int, reverse: bool) -> base.Page:
        """Entries with low <= key < high, from the near end, as many as fit; at least one, if there is one."""

        def read() -> base.Page:
            mark = self._mark()  # in front of the iterator: what comes between only makes it look older than it is
            if reverse:
                entries, is_last = rocksdb_pages.descending(self._db, low, high, rows, bytes_max)
            else:
                largest = self._largest + base.ENTRY_BYTES
                entries, is_last = rocksdb_pages.ascending(self._db, low, high, rows, bytes_max, largest)
            return base.Page(entries, is_last=is_last, mark=mark)

        return self._read(read)

    def _read(self, call: Callable[[], Result]) -> Result:
        """A call of RocksDB while nobody closes it."""
        token = object()
        try:
            self._inside.add(token)
            if self._door.reason:
                self._door.wait(token)
            return call()
        except Exception as error:
            raise self._said(error) from error
        finally:
            self._inside.discard(token)

    def _mark(self) -> int:
        return (self._generation << _GENERATION_BIT) + self._db.latest_sequence_number()

    # --- writing ------------------------------------------------------------------------------------------------------

    def write(self, groups: Sequence[base.Group]) -> int:
        """Put and delete, all or nothing; the last of several for one key holds. Returns the mark afterwards."""
        with self._door.writing:
            return self._write([pairs for _head, pairs in groups])

    def replace(
        self, head: bytes, keys: Sequence[bytes], olds: Sequence[bytes], news: Sequence[bytes | None], since: int
    ) -> tuple[int, list[int]]:
        """Put `news` in place of `olds` in one transaction, where these still stand; None deletes."""
        del head  # of an engine that counts
        with self._door.writing:
            self._revive()
            pairs = list(zip(keys, news, strict=True))
            changed: list[int] = []
            is_ours = self._read(self._mark) == since
            if not is_ours:
                now = self.get_many(keys)
                if now != [*olds]:
                    changed = [at for at, old in enumerate(olds) if now[at] != old]
                    gone = set(changed)
                    pairs = [pair for at, pair in enumerate(pairs) if at not in gone]
            mark = self._write([pairs])
            return mark if is_ours else base.UNKNOWN, changed

    def alter(self, function: Callable[[Callable[[bytes], bytes | None]], Sequence[base.Group]]) -> None:
        """Write what `function` returns, which may read with what it is given; nothing comes between."""
        with self._door.writing:
            self._revive()
            self._write([pairs for _head, pairs in function(self.get)])

    def _write(self, runs: Sequence[Sequence[base.Write]]) -> int:
        """One batch, under the writer's lock."""
        if self.read_only:
            raise errors.UsageError(f"the store {self.path} is open for reading.", hint="Open it without read_only.")
        self._revive()
        begun = time.monotonic()
        while True:
            batch = self._batch(runs)  # one that could not be written is used up
            try:
                mark = self._read(partial(self._commit, batch))
            except errors.BrokenError as error:
                self._ill = error.with_traceback(None)
                raise
            if mark is not None:
                return mark
            self._stand(begun)

    def _batch(self, runs: Sequence[Sequence[base.Write]]) -> rocksdict.WriteBatch:
        batch, largest = rocksdb_pages.batch_of(runs)
        if largest > self._largest or self._is_largest_new:  # noted in the batch: readers know how large one may be
            self._largest = max(self._largest, 1 << largest.bit_length())
            self._is_largest_new = True
            batch.put(_LARGEST, self._largest.to_bytes(8, "big"))
        return batch

    def _commit(self, batch: rocksdict.WriteBatch) -> int | None:
        """The mark afterwards; None if all write buffers are full."""
        if len(batch):
            try:
                self._db.write(batch)
            except Exception as error:
                if rocksdb_upkeep.STALL not in str(error):
                    raise
                return None
            self._is_largest_new = False
        return self._mark()

    def _stand(self, begun: float) -> None:
        """Wait a little for a write buffer to reach the disk. RocksDB would wait by itself, and all of Python with it."""
        self._refuse_failed()
        if time.monotonic() - begun > STALL_S:
            raise errors.BrokenError(
                f"{self.path}: write buffers were full for {STALL_S:.0f} s.",
                hint="The disk does not keep up: try again.",
            )
        time.sleep(0.001)

    def _refuse_failed(self) -> None:
        """Flushes and compactions fail in the background: whoever needs them is told, and not left to wait."""
        if self._read(lambda: self._db.property_int_value("rocksdb.background-errors")):
            self._ill = rocksdb_upkeep.failed(self.path)
            raise self._ill

    def _revive(self) -> None:
        """Open anew after the disk was full: RocksDB takes no writes after one failed. Under the writer's lock."""
        if self._ill is None:
            return
        self._door.refuse_closed()
        try:
            rocksdb_upkeep.probe(self.path, self.tuning.buffers_bytes)
        except OSError as error:
            raise said(error, self.path) from error
        if self.sync_level == "off" and not self._is_saved:  # there is no log: what is in write buffers goes with them
            self._saved = self._read(lambda: rocksdb_upkeep.unwritten(self._db, self.path, self._memory))
            self._is_saved = True
        is_carried = bool(self._saved)
        self._exchange()
        self._ill = None
        if is_carried:
            self._flush()

    def _exchange(self) -> None:
        """Close and open again; what was acknowledged is in the log."""
        try:
            self._door.shut("its files are opened again")
            with contextlib.suppress(Exception):  # it cannot flush, which is why it is opened again
                self._db.close()
            self._generation += 1
            self._db = self._open()
            self._carry_over()
        except errors.BrokenError as error:  # the disk again: the next write tries once more
            self._ill = error.with_traceback(None)
            self._door.reason = ""
            raise
        except BaseException:
            self._door.reason = BROKEN
            raise
        self._door.reason = ""  # no call: an interrupt could come in front of it

    def _carry_over(self) -> None:
        """Write what was in write buffers once more, before anybody is let in to look; kept if that fails."""
        begun = time.monotonic()
        while self._saved:
            try:
                if self._commit(self._batch([self._saved])) is not None:
                    self._saved = []
                    break
            except Exception as error:
                raise said(error, self.path) from error
            if time.monotonic() - begun > STALL_S:
                raise errors.BrokenError(f"{self.path}: write buffers stay full.", hint="Make room, and try again.")
            time.sleep(0.001)
        self._is_saved = False

    def _said(self, error: Exception) -> errors.FlatwaterError:
        if self._ill is not None and isinstance(error, rocksdict.DbClosedError):  # it could not be opened again
            return errors.BrokenError(str(self._ill), hint="Make room, and write something.")
        return said(error, self.path)

    # --- how many there are -------------------------------------------------------------------------------------------

    def _keys(self, low: bytes, high: bytes) -> Iterator[list[bytes]]:
        """The keys of a range, some at a time, each time with an iterator of its own."""

        def read(low: bytes) -> tuple[list[bytes], bool]:
            return rocksdb_pages.keys_of(self._db, low, high)

        is_last = False
        while not is_last:
            keys, is_last = self._read(partial(read, low))
            if keys:
                yield keys
                low = keys[-1] + b"\x00"

    def count(self, head: bytes, low: bytes, high: bytes) -> int:
        """How many entries a range of the partition `head` has.

        A part of a partition is counted, and so is a whole one of up to COUNTED_MAX entries. Beyond, the table files say
        how many they have: of entries written twice or deleted since the last compaction, some count in excess.
        """
        if (low, high) != (head, head + base.ABOVE):
            return self._counted(low, high)
        counted = self._counted(low, high, COUNTED_MAX)
        if counted <= COUNTED_MAX:
            return counted
        return max(counted, rocksdb_upkeep.entries_of(self._files(), low, high, self._counted))

    def _counted(self, low: bytes, high: bytes, enough: int | None = None) -> int:
        """How many entries a range has, one by one; more than `enough` may be less than all."""
        return rocksdb_pages.counted(self._keys(low, high), enough) if low < high else 0

    def _files(self) -> list[dict[str, Any]]:
        """What RocksDB notes of each table file, after the write buffers became files."""
        if not self.read_only and self._ill is None:
            with contextlib.suppress(errors.BrokenError):
                self._flush()
        return self._read(lambda: self._db.live_files())  # noqa: PLW0108 - `_db` may be another one once it is let in

    def borders(self, low: bytes, high: bytes, parts: int) -> list[bytes]:
        """Keys that divide a range into about equal parts: from the borders of its files, if they are many, else a walk."""
        files = [file for file in self._files() if file["end_key"] >= low and file["start_key"] < high]
        if len(files) >= FILES_A_PART * parts:
            return rocksdb_upkeep.borders_of(files, low, high, parts)
        return base.divided(self._keys(low, high), parts)

    # --- upkeep -------------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        self._refuse_failed()
        self._read(lambda: self._db.flush(True))  # noqa: FBT003 - wait for it

    def _put_on_disk(self) -> None:
        """Write buffers become files, after a failure of the past in files that were opened again."""
        with self._door.writing:
            with contextlib.suppress(errors.BrokenError):
                self._refuse_failed()
            self._revive()
            self._flush()

    def room(self) -> base.Room:
        """What it takes. `used_bytes` is an estimate: what was deleted or written twice shows when files are compacted."""
        room = self._read(lambda: rocksdb_upkeep.room_of(self._db, self.path, self._memory))
        own = base.SYSTEM + base.ABOVE  # behind the store's own entries
        counted = self._counted(own, base.ABOVE, COUNTED_MAX)
        if counted > COUNTED_MAX:
            counted = max(counted, room.entries - self._counted(base.SYSTEM, own, COUNTED_MAX))
        return replace(room, entries=counted)

    def readers(self) -> list[base.Reader]:
        """None: what is read at one moment ends with the call."""
        return []

    def compact(self) -> None:
        """Merge all files into one sorted level, without what was deleted; others read and write meanwhile."""
        if self.read_only:
            raise errors.UsageError(f"the store {self.path} is open for reading.", hint="Open it without read_only.")
        self._put_on_disk()  # says what is wrong, where the compaction does not
        how = rocksdict.CompactOptions()
        how.set_exclusive_manual_compaction(False)
        how.set_bottommost_level_compaction(rocksdict.BottommostLevelCompaction.force_optimized())
        self._read(lambda: self._db.compact_range(None, None, how))
        self._refuse_failed()

    def backup(self, path: str) -> None:
        """Write a whole copy, of one version, to an empty directory; whoever writes goes on."""
        if not self.read_only:  # the copy begins with a flush, which fails for ever after one that failed
            with contextlib.suppress(errors.BrokenError):  # the copy says what is wrong
                self._put_on_disk()
        self._read(lambda: rocksdb_upkeep.copy(self._db, self.path, path, read_only=self.read_only))

    def check(self) -> list[str]:
        """What is wrong with the files, in words: all entries are read, with their checksums. Others go on."""
        return self._read(lambda: rocksdb_upkeep.findings(self._db))

    def sync(self) -> None:
        """Make everything durable that was written."""
        if self.read_only:
            return
        if self.sync_level == "off":
            self._put_on_disk()
        else:
            with self._door.writing:
                self._revive()
            self._read(lambda: self._db.flush_wal(True))  # noqa: FBT003 - with fsync

    def trim(self) -> None:
        """Put the write buffers on disk, and give up the blocks in the cache."""
        if not self.read_only:
            self._put_on_disk()
        self._read(self._memory.shed)


def _forked() -> None:
    for engine in list(_engines):
        engine._after_fork()  # noqa: SLF001 - its own kind


os.register_at_fork(after_in_child=_forked)
