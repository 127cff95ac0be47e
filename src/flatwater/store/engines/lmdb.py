"""Entries in one LMDB file: a B-tree that is mapped into memory, one writer, readers that wait for nobody.

Covers:     short transactions, a map that grows by itself, compaction by rewriting, damage, other processes.
Not here:   keys beyond 480 bytes (`engines.long_keys`), the directory and who has it open (`store.directory`).
Holds:      pages that the transaction at work has changed; LMDB keeps as many for the next one.

Two facts that this file goes by. A value of more than half a page lies on pages of its own, and LMDB counts these: where
there are none, a thousand entries cannot be larger than a thousand half pages, and nothing has to be weighed one by one.
The number of a transaction says whether another one came between a read and a write.
"""

from __future__ import annotations

import bisect
import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final, final

import lmdb

from flatwater import errors, limits, units
from flatwater.store.engines import base, lmdb_upkeep
from flatwater.store.engines.lmdb_upkeep import said

KEY_BYTES_MAX: Final = 511
_COUNT = base.SYSTEM + b"\x01count"  # no tuple begins so: it is in nobody's range
_FLAGS = {"full": (True, True), "normal": (True, False), "off": (False, False)}  # sync, metasync
_COUNTS_EVERY = 100  # small commits between two notes of how many entries there are
_key_of = itemgetter(0)
_value_of = itemgetter(1)
_engines: weakref.WeakSet[LmdbEngine] = weakref.WeakSet()


@final
class LmdbEngine:
    """One LMDB environment. Thread-safe: one writes at a time, readers go on.

    Args:
        path: the directory of `data.mdb`.
        sync: "full", "normal" or "off".
        read_only: open for reading.
        map_bytes: that the file may have before the map grows the first time.
    """

    def __init__(
        self, path: str, *, sync: str = "full", read_only: bool = False, map_bytes: int = limits.STORE_MAP_BYTES
    ) -> None:
        self.path = path
        self.sync_level = sync
        self.read_only = read_only
        self._map_bytes = map_bytes
        self._active: list[None] = []  # one for each call at work: appending and popping are atomic
        self._shut = ""  # why nobody may come in
        self._opened = threading.Event()
        self._opened.set()
        self._writing = threading.Lock()
        self._generation = 0  # of the file: numbers of transactions begin anew in another one
        self._counts: dict[bytes, int] = {}  # entries that each partition won, and that are not noted in the file yet
        self._added: dict[bytes, int] = {}  # the same, of the transaction at work
        self._commits_unnoted = 0
        self._seen_readers: dict[tuple[int, int], float] = {}
        self._env = self._open()
        _engines.add(self)

    # --- opening and closing ------------------------------------------------------------------------------------------

    def _open(self) -> lmdb.Environment:
        sync, metasync = _FLAGS[self.sync_level]
        file = os.path.join(self.path, "data.mdb")
        size = os.path.getsize(file) if os.path.exists(file) else 0
        options: dict[str, Any] = {
            "map_size": max(self._map_bytes, -(-size >> 20) << 20), "sync": sync, "metasync": metasync, "readonly": self.read_only,
            "max_spare_txns": 1, "max_readers": limits.STORE_READERS_MAX, "create": False, "mode": 0o644,
        }  # fmt: skip
        try:
            try:
                env = lmdb.open(self.path, **options)
            except lmdb.Error:
                if not self.read_only or os.access(self.path, os.W_OK):
                    raise
                env = lmdb.open(self.path, lock=False, **options)  # a disk that cannot be written has no writers
        except lmdb.Error as error:
            raise said(error, self.path) from error
        pages = env.info()["last_pgno"] + 1
        page_bytes = env.stat()["psize"]
        if size and pages * page_bytes > os.path.getsize(file):
            env.close()
            raise errors.CorruptError(
                f"{file} is cut off: it has {units.format_bytes(size)} of {units.format_bytes(pages * page_bytes)}.",
                hint="Restore it from a backup.",
            )
        self.page_bytes = page_bytes
        self._map_bytes = env.info()["map_size"]
        return env

    def close(self) -> None:
        """End; more than once does no harm."""
        with self._writing:
            if self._shut:
                return
            if not self.read_only:
                self._note_counts()
            self._shut_out("it was closed")
            if self.sync_level != "full" and not self.read_only:
                self._env.sync(True)  # noqa: FBT003 - lmdb's signature
            self._env.close()

    def _shut_out(self, reason: str) -> None:
        """Let nobody in, and wait until all are out."""
        self._opened.clear()
        self._shut = reason
        while self._active:
            time.sleep(0.0005)

    def _let_in(self) -> None:
        self._shut = ""
        self._opened.set()

    def _enter(self) -> None:
        self._active.append(None)
        while self._shut:
            self._active.pop()
            if not self._opened.wait(0.05) and self._shut.startswith("it was"):
                raise errors.ClosedError(f"the store {self.path} cannot be used: {self._shut}.", hint="Open it again.")
            self._active.append(None)

    def _after_fork(self) -> None:
        self._shut = "it was opened before this process was forked"
        self._opened.clear()
        self._active.clear()
        self._writing = threading.Lock()

    # --- reading ------------------------------------------------------------------------------------------------------

    def bytes_max(self) -> int:
        """The most it holds in memory, in bytes, beside pages of the file that the system may take back."""
        total = 0
        total += limits.STORE_LMDB_BYTES  # the environment, its transactions, its list of free pages
        total += limits.STORE_COMMIT_ROWS * self.page_bytes  # pages changed by one transaction of ours
        return total

    def write_bytes_max(self, rows: int, size: int) -> int:
        """The most that a write of so many entries takes in memory, with so many bytes in keys and values."""
        return rows * self.page_bytes + size  # scattered keys: a page each, and branches above them, which are shared

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        self._enter()
        try:
            txn = self._env.begin()
            try:
                return txn.get(key)  # type: ignore[no-any-return]
            finally:
                txn.abort()
        except lmdb.MapResizedError:
            pass
        except lmdb.BadValsizeError:
            return None  # no such key can be there
        except lmdb.Error as error:
            raise said(error, self.path) from error
        finally:
            self._active.pop()
        self._adopt_map()
        return self.get(key)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values, all of one version."""

        def read(txn: lmdb.Transaction) -> list[tuple[bytes, bytes]]:
            return txn.cursor().getmulti(keys)  # type: ignore[no-any-return]

        found = self._read(read)
        if len(found) == len(keys):
            return [value for _key, value in found]
        return list(map(dict(found).get, keys))

    def page(self, low: bytes, high: bytes, *, rows: int, bytes_max: int, reverse: bool) -> base.Page:
        """Entries with low <= key < high, from the near end, as many as fit; at least one, if there is one."""

        def read(txn: lmdb.Transaction) -> base.Page | None:
            overflow = txn.stat()["overflow_pages"]
            if overflow * self.page_bytes + rows * (self.page_bytes // 2 + base.ENTRY_BYTES) > bytes_max:
                return None
            cursor = txn.cursor()
            entries: list[base.Raw] = []
            if _place(cursor, low, high, reverse=reverse):
                entries = list(islice(cursor.iterprev() if reverse else cursor.iternext(), rows))
            return base.Page(entries, is_last=len(entries) < rows, mark=self._mark(txn.id()))

        def weigh(txn: lmdb.Transaction) -> base.Page:
            cursor = txn.cursor()
            mark = self._mark(txn.id())
            if not _place(cursor, low, high, reverse=reverse):
                return base.Page([], is_last=True, mark=mark)
            return base.Page(*_weighed(cursor, rows, bytes_max, reverse=reverse), mark=mark)

        page = self._read(read) or self._read(weigh, buffers=True)
        entries = page.entries
        if reverse:
            if entries and entries[-1][0] < low:
                del entries[bisect.bisect_left(entries, True, key=lambda entry: entry[0] < low) :]  # noqa: FBT003
                page.is_last = True
        elif entries and entries[-1][0] >= high:
            del entries[bisect.bisect_left(entries, high, key=_key_of) :]
            page.is_last = True
        return page  # type: ignore[no-any-return]

    def _read(self, call: Callable[[lmdb.Transaction], Any], *, buffers: bool = False) -> Any:
        while True:
            self._enter()
            try:
                with self._env.begin(buffers=buffers) as txn:
                    return call(txn)
            except lmdb.MapResizedError:
                pass
            except lmdb.Error as error:
                raise said(error, self.path) from error
            finally:
                self._active.pop()
            self._adopt_map()

    def _mark(self, number: int) -> int:
        return (self._generation << 48) + number

    # --- writing ------------------------------------------------------------------------------------------------------

    def write(self, groups: Sequence[base.Group]) -> int:
        """Put and delete, all or nothing; the last of several for one key holds. Returns the mark afterwards."""

        def work(txn: lmdb.Transaction) -> None:
            for head, pairs in groups:
                self._apply(txn, head, pairs)

        return self._write(work)[1]

    def replace(
        self, head: bytes, keys: Sequence[bytes], olds: Sequence[bytes], news: Sequence[bytes | None], since: int
    ) -> tuple[int, list[int]]:
        """Put `news` in place of `olds` in one transaction, where these still stand; None deletes."""

        def work(txn: lmdb.Transaction) -> list[int]:
            pairs = list(zip(keys, news, strict=True))
            changed: list[int] = []
            if self._mark(txn.id()) - 1 != since:
                now = dict(txn.cursor().getmulti(keys))
                if [*map(now.get, keys)] != [*olds]:
                    changed = [at for at, key in enumerate(keys) if now.get(key) != olds[at]]
                    gone = set(changed)
                    pairs = [pair for at, pair in enumerate(pairs) if at not in gone]
            self._apply(txn, head, pairs)
            return changed

        changed, mark = self._write(work)
        return mark, changed

    def alter(self, function: Callable[[Callable[[bytes], bytes | None]], Sequence[base.Group]]) -> None:
        """Write what `function` returns, which may read with what it is given; nothing comes between."""

        def work(txn: lmdb.Transaction) -> None:
            for head, pairs in function(txn.get):
                self._apply(txn, head, pairs)

        self._write(work)

    def _write(self, work: Callable[[lmdb.Transaction], Any]) -> tuple[Any, int]:
        if self.read_only:
            raise errors.UsageError(f"the store {self.path} is open for reading.", hint="Open it without read_only.")
        with self._writing:
            while True:
                self._added = {}
                self._enter()
                try:
                    with self._env.begin(write=True) as txn:
                        done = work(txn)
                        mark = self._mark(txn.id())
                        is_noted = self._commits_unnoted >= _COUNTS_EVERY
                        if is_noted:
                            self._put_counts(txn)
                    self._committed(is_noted=is_noted)
                    return done, mark
                except lmdb.MapFullError:
                    grown = self._map_bytes * 2
                except lmdb.MapResizedError:
                    grown = 0  # another process has: take what it took
                except lmdb.Error as error:
                    raise said(error, self.path) from error
                finally:
                    self._active.pop()
                self._set_map(grown)

    def _adopt_map(self) -> None:
        with self._writing:
            self._set_map(0)

    def _set_map(self, size: int) -> None:
        """Another size of the map; 0 is what the file has. Under the lock of the writer, outside of any call."""
        if self._shut:
            self._enter()  # raises
        self._shut_out("its map grows")
        try:
            self._env.set_mapsize(size)
            self._map_bytes = self._env.info()["map_size"]
        except lmdb.Error as error:
            raise said(error, self.path) from error
        finally:
            self._let_in()

    # --- how many there are -------------------------------------------------------------------------------------------

    def _apply(self, txn: lmdb.Transaction, head: bytes, pairs: Sequence[base.Write]) -> None:
        """Write `pairs`, and remember by how many entries the partition grew."""
        before = txn.stat()["entries"]
        _put_and_delete(txn, pairs)
        added = txn.stat()["entries"] - before
        if added:
            self._added[head] = self._added.get(head, 0) + added
        if len(pairs) >= _COUNTS_EVERY:
            self._commits_unnoted = _COUNTS_EVERY

    def _put_counts(self, txn: lmdb.Transaction) -> None:
        """Note in the file how many entries each partition has; in between, a crash makes the estimate a little worse."""
        for counts in (self._counts, self._added):
            for head, added in counts.items():
                entries = int.from_bytes(txn.get(_COUNT + head) or b"", "big") + added
                txn.put(_COUNT + head, max(0, entries).to_bytes(8, "big"))

    def _committed(self, *, is_noted: bool) -> None:
        if is_noted:
            self._counts = {}
            self._commits_unnoted = 0
            return
        self._commits_unnoted += 1
        for head, added in self._added.items():
            self._counts[head] = self._counts.get(head, 0) + added

    def _note_counts(self) -> None:
        """Before it closes. What cannot be noted makes an estimate worse, and nothing else."""
        self._added = {}
        if any(self._counts.values()):
            with contextlib.suppress(lmdb.Error), self._env.begin(write=True) as txn:
                self._put_counts(txn)
            self._counts = {}

    def count(self, head: bytes, low: bytes, high: bytes) -> int:
        """How many entries a range of the partition `head` has: of a whole partition as noted, else its keys counted."""
        if (low, high) == (head, head + base.ABOVE):
            return max(0, int.from_bytes(self.get(_COUNT + head) or b"", "big") + self._counts.get(head, 0))
        return sum(map(len, self._keys(low, high)))

    # --- upkeep -------------------------------------------------------------------------------------------------------

    def _keys(self, low: bytes, high: bytes) -> Iterator[list[bytes]]:
        """The keys of a range, some at a time, each time in a short transaction."""
        while True:
            keys = self._read(lambda txn, low=low: _keys_of(txn, low))
            if keys and keys[-1] >= high:
                del keys[bisect.bisect_left(keys, high) :]
                if keys:
                    yield keys
                return
            if not keys:
                return
            yield keys
            low = keys[-1] + b"\x00"

    def borders(self, low: bytes, high: bytes, parts: int) -> list[bytes]:
        """Keys that divide a range into about equal parts, from one walk over its keys."""
        step = 1
        kept: list[bytes] = []
        seen = 0
        for keys in self._keys(low, high):
            kept += keys[-seen % step :: step]
            seen += len(keys)
            while len(kept) >= parts * 64:  # each part is right to within 3 %
                del kept[1::2]
                step *= 2
        found = [kept[round(part * len(kept) / parts)] for part in range(1, parts)] if len(kept) >= parts else kept[1:]
        return sorted(set(found))

    def room(self) -> base.Room:
        """What it takes. `used_bytes` leaves out the list of free pages."""
        stat, info = self._read(lambda txn: (txn.stat(), self._env.info()))
        pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
        return base.Room(
            file_bytes=os.path.getsize(os.path.join(self.path, "data.mdb")),
            used_bytes=(pages + 2) * self.page_bytes,
            entries=stat["entries"],
            notes={"depth": stat["depth"], "map_bytes": info["map_size"], "overflow_pages": stat["overflow_pages"]},
        )

    def readers(self) -> list[base.Reader]:
        """Read transactions that are open now, in any process, oldest first; those of dead processes are cleared."""
        if not self.read_only:
            self._read(lambda _txn: self._env.reader_check())
        found = lmdb_upkeep.readers_of(self._read(lambda _txn: self._env.readers()), self._read(lambda txn: txn.id()))
        now = time.monotonic()
        self._seen_readers = {reader: self._seen_readers.get(reader, now) for reader in found}
        listed = [
            base.Reader(process, now - self._seen_readers[process, number], behind)
            for (process, number), behind in found.items()
        ]
        return sorted(listed, key=lambda reader: -reader.commits_behind)

    def compact(self) -> None:
        """Write all entries anew, in their order, and put that file in place of this one. Nobody else may have it open."""
        with self._writing:
            self._enter()
            try:
                made = lmdb_upkeep.rewrite(self._env, self.path)
            finally:
                self._active.pop()
            self._exchange(lambda: lmdb_upkeep.put_in_place(made, self.path))

    def _exchange(self, act: Callable[[], None]) -> None:
        """Close, act on the files, open again."""
        self._shut_out("its file is exchanged")
        try:
            self._env.close()
            try:
                act()
            finally:
                self._env = self._open()
                self._generation += 1
        except BaseException:
            self._shut = "it was closed by an error"
            raise
        self._let_in()

    def backup(self, path: str) -> None:
        """Write a whole copy, of one version, to an empty directory; whoever writes goes on."""
        self._enter()
        try:
            self._env.copy(path, compact=True)
        except lmdb.Error as error:
            raise said(error, path) from error
        finally:
            self._active.pop()

    def check(self) -> list[str]:
        """What is wrong with the file, in words. Nobody writes meanwhile."""
        if self.read_only:
            return self._read(lambda _txn: lmdb_upkeep.verify(self.path))  # type: ignore[no-any-return]
        with self._writing:
            self._enter()
            try:
                with self._env.begin(write=True):  # keeps other processes from writing, too
                    return lmdb_upkeep.verify(self.path)
            finally:
                self._active.pop()

    def sync(self) -> None:
        """Make everything durable that was written."""
        self._read(lambda _txn: self._env.sync(True))  # noqa: FBT003 - lmdb's signature

    def trim(self) -> None:
        """Give back the pages that LMDB keeps for the next transaction."""
        with self._writing:
            if self._shut:
                self._enter()  # raises
            self._exchange(lambda: None)


def _place(cursor: lmdb.Cursor, low: bytes, high: bytes, *, reverse: bool) -> bool:
    """Put the cursor on the near end of a range; False if nothing is there."""
    if not reverse:
        return bool(cursor.set_range(low))
    return bool(cursor.prev() if cursor.set_range(high) else cursor.last())


def _weighed(cursor: lmdb.Cursor, rows: int, bytes_max: int, *, reverse: bool) -> tuple[list[base.Raw], bool]:
    """Entries one by one, of a cursor that gives views: a value is looked at before it is copied."""
    entries: list[base.Raw] = []
    left = bytes_max
    for key, value in cursor.iterprev() if reverse else cursor.iternext():
        left -= len(key) + len(value) + base.ENTRY_BYTES
        if (left < 0 and entries) or len(entries) == rows:
            return entries, False
        entries.append((bytes(key), bytes(value)))
    return entries, True


def _keys_of(txn: lmdb.Transaction, low: bytes) -> list[bytes]:
    cursor = txn.cursor()
    return list(islice(cursor.iternext(values=False), limits.STORE_KEYS_AT_ONCE)) if cursor.set_range(low) else []


def _put_and_delete(txn: lmdb.Transaction, pairs: Sequence[base.Write]) -> None:
    cursor = txn.cursor()
    if None not in map(_value_of, pairs):
        cursor.putmulti(pairs)
        return
    for is_delete, run in groupby(pairs, _is_delete):
        if is_delete:
            for key, _none in run:
                txn.delete(key)
        else:
            cursor.putmulti(run)


def _is_delete(pair: base.Write) -> bool:
    return pair[1] is None


def _forked() -> None:
    for engine in list(_engines):
        engine._after_fork()  # noqa: SLF001 - its own kind


os.register_at_fork(after_in_child=_forked)
