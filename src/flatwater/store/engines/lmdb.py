"""Entries in one LMDB file: a B-tree that is mapped into memory, one writer, readers that wait for nobody.

Covers:     short transactions, a map that grows by itself, compaction by rewriting, damage, other processes.
Not here:   keys beyond 480 bytes (`engines.long_keys`), the directory and who has it open (`store.directory`).
Holds:      pages that the transaction at work has changed; LMDB keeps as many for the next one.

The number of a transaction says whether another one came between a read and a write: then, nothing is compared.
"""

from __future__ import annotations

import bisect
import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, TypeAlias, TypeVar, final

import lmdb

from flatwater import errors, limits
from flatwater.store.engines import base, lmdb_upkeep
from flatwater.store.engines import lmdb_steps as steps
from flatwater.store.engines.door import BROKEN, CLOSED, FORKED, Door
from flatwater.store.engines.lmdb_counts import Counts, note_key
from flatwater.store.engines.lmdb_readers import Readers
from flatwater.store.engines.lmdb_upkeep import said

Result = TypeVar("Result")
Txn: TypeAlias = "lmdb.Transaction[bytes]"

_FLAGS = {"full": (True, True), "normal": (True, False), "off": (False, False)}  # sync, metasync
_key_of = itemgetter(0)


def _nothing() -> None:
    """Nobody is to be kept out."""


@final
class LmdbEngine:
    """One LMDB environment. Thread-safe: one writes at a time, readers go on.

    Args:
        path: the directory of `data.mdb`.
        sync: "full", "normal" or "off".
        read_only: open for reading.
        map_bytes: that the file may have before the map grows the first time.
        keep_out: sees that nobody writes, where one who reads has no right to say that he does; None: nobody does, and it is
            not said: no file changes.
    """

    def __init__(
        self,
        path: str,
        *,
        sync: str = "full",
        read_only: bool = False,
        map_bytes: int | None = None,
        keep_out: Callable[[], None] | None = _nothing,
    ) -> None:
        self.path = path
        self.sync_level = sync
        self.read_only = read_only
        self._keep_out = keep_out
        self._map_bytes = map_bytes or limits.STORE_MAP_BYTES
        self._door = Door(path)
        self._inside = self._door.inside
        self._generation = 0  # of the file: numbers of transactions begin anew in another one
        self._counts = Counts()
        self._readers = Readers(path)
        self._env = self._open()
        self._door.let_go = self._forget

    # --- opening and closing ------------------------------------------------------------------------------------------

    def _open(self) -> lmdb.Environment:
        sync, metasync = _FLAGS[self.sync_level]
        file = os.path.join(self.path, "data.mdb")
        size = os.path.getsize(file) if os.path.exists(file) else 0
        options: dict[str, Any] = {
            "map_size": max(self._map_bytes, -(-size >> 20) << 20), "sync": sync, "metasync": metasync, "readonly": self.read_only,
            "max_spare_txns": 0, "max_readers": limits.STORE_READERS_MAX, "create": False, "mode": 0o644,
        }  # fmt: skip
        if not self.read_only:
            lmdb_upkeep.clear(self.path)
            lmdb_upkeep.make_lock_file(self.path)
        try:
            try:
                env = lmdb.open(self.path, lock=self._keep_out is not None, **options)
            except lmdb.Error:
                if not self.read_only or not self._keep_out or os.access(f"{self.path}/{lmdb_upkeep.LOCK}", os.W_OK):
                    raise
                self._keep_out()  # without LMDB's table of readers, a writer would use the pages that are read here
                env = lmdb.open(self.path, lock=False, **options)
        except lmdb.ReadonlyError as error:  # what LMDB makes of a file that may not be read
            raise lmdb_upkeep.denied(self.path) from error
        except lmdb.Error as error:
            raise said(error, self.path) from error
        try:
            lmdb_upkeep.complete(env, self.path, read_only=self.read_only)
            self.page_bytes = env.stat()["psize"]
            self._map_bytes = env.info()["map_size"]
        except BaseException:
            env.close()
            raise
        return env

    def _forget(self) -> None:
        """In a forked child, so that it can open the store itself. No spare transaction is kept: to free it would harm us."""
        del self._env

    def close(self) -> None:
        """End; more than once does no harm."""
        if self._door.reason in {FORKED, BROKEN, CLOSED}:
            return
        with self._door.writing:
            if self._door.reason:
                return
            if not self.read_only and not self._counts.is_complete:
                with contextlib.suppress(lmdb.Error), self._env.begin(write=True) as txn:
                    self._counts.begin()
                    self._counts.note(txn, at_once=True)
            self._door.shut(CLOSED)
            try:
                if self.sync_level != "full" and not self.read_only:
                    self._env.sync(True)  # noqa: FBT003 - lmdb's signature
            except lmdb.Error as error:
                raise said(error, self.path) from error
            finally:
                self._env.close()

    # --- reading ------------------------------------------------------------------------------------------------------

    def bytes_max(self) -> int:
        """The most it holds in memory, in bytes, beside pages of the file that the system may take back."""
        total = 0
        total += limits.STORE_LMDB_BYTES  # the environment, its transactions, its list of free pages
        total += limits.STORE_COMMIT_ROWS * self.page_bytes  # leaves changed by one transaction of ours
        total += limits.STORE_COMMIT_ROWS * self.page_bytes  # branches above them: as many, where keys are long
        total += limits.STORE_COMMIT_BYTES  # values on pages of their own in it
        return total

    def write_bytes_max(self, rows: int, size: int) -> int:
        """The most that a write of so many entries takes in memory, with so many bytes in keys and values."""
        stat = self._read(lambda txn: txn.stat())
        pages, above = rows, stat["branch_pages"]
        fan = max(2, stat["leaf_pages"] // max(1, above) + 1)  # long keys: few to a branch, and a tree of many levels
        while above > 0:
            level = above - above // fan
            pages += min(rows, level)
            above -= level
        return pages * self.page_bytes + size  # scattered keys: a leaf each, and the branches above them

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        token = object()  # `_read` by hand: this is what is called most
        try:
            self._inside.add(token)
            if self._door.reason:
                self._door.wait(token)
            txn = self._env.begin()
            try:
                return txn.get(key)
            finally:
                txn.abort()
        except lmdb.MapResizedError:
            pass
        except lmdb.BadValsizeError:
            return None  # no such key can be there
        except lmdb.Error as error:
            raise said(error, self.path) from error
        finally:
            self._inside.discard(token)
        self._adopt_map()
        return self.get(key)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values, all of one version."""
        return self._read(lambda txn: list(map(txn.cursor().get, keys)))  # it finds the next key from where it stands

    def page(self, low: bytes, high: bytes, *, rows: int, bytes_max: int, reverse: bool) -> base.Page:
        """Entries with low <= key < high, from the near end, as many as fit; at least one, if there is one."""

        def read(txn: Txn) -> base.Page | None:
            found = steps.page(txn, low, high, rows, bytes_max, page_bytes=self.page_bytes, reverse=reverse)
            return found and base.Page(*found, mark=self._mark(txn.id()))

        def weigh(txn: Any) -> base.Page:
            mark = self._mark(txn.id())
            return base.Page(*steps.weighed(txn, low, high, rows, bytes_max, reverse=reverse), mark=mark)

        return _within(self._read(read) or self._read(weigh, buffers=True), low, high, reverse=reverse)

    def look(self, call: Callable[[Callable[[bytes], bytes | None], Callable[..., base.Page]], Result]) -> Result:
        """What `call` makes of reads of one version: it is given `get` and `page`."""

        def page_of(txn: Any, low: bytes, high: bytes, *, rows: int, bytes_max: int, reverse: bool) -> base.Page:
            found = steps.page(txn, low, high, rows, bytes_max, page_bytes=self.page_bytes, reverse=reverse)
            found = found or steps.weighed(txn, low, high, rows, bytes_max, reverse=reverse)
            return _within(base.Page(*found, mark=self._mark(txn.id())), low, high, reverse=reverse)

        return self._read(lambda txn: call(txn.get, partial(page_of, txn)))

    def _read(self, call: Callable[[Any], Result], *, buffers: bool = False) -> Result:
        while True:
            token = object()
            try:
                self._inside.add(token)
                if self._door.reason:
                    self._door.wait(token)
                with self._env.begin(buffers=True) if buffers else self._env.begin() as txn:
                    return call(txn)
            except lmdb.MapResizedError:
                pass
            except lmdb.Error as error:
                raise said(error, self.path) from error
            finally:
                self._inside.discard(token)
            self._adopt_map()

    def _mark(self, number: int) -> int:
        return (self._generation << 48) + number

    # --- writing ------------------------------------------------------------------------------------------------------

    def write(self, groups: Sequence[base.Group]) -> int:
        """Put and delete, all or nothing; the last of several for one key holds. Returns the mark afterwards."""

        def work(txn: Txn) -> None:
            for head, pairs in steps.merged(groups):
                self._apply(txn, head, pairs)

        return self._write(work)[1]

    def replace(
        self, head: bytes, keys: Sequence[bytes], olds: Sequence[bytes], news: Sequence[bytes | None], since: int
    ) -> tuple[int, list[int]]:
        """Put `news` in place of `olds` in one transaction, where these still stand; None deletes."""

        def work(txn: Txn) -> tuple[bool, list[int]]:
            pairs = list(zip(keys, news, strict=True))
            changed: list[int] = []
            is_ours = self._mark(txn.id()) - 1 == since
            if not is_ours:
                now = dict(txn.cursor().getmulti(keys))
                if [*map(now.get, keys)] != [*olds]:
                    changed = [at for at, key in enumerate(keys) if now.get(key) != olds[at]]
                    gone = set(changed)
                    pairs = [pair for at, pair in enumerate(pairs) if at not in gone]
            self._apply(txn, head, pairs, once=True)
            return is_ours, changed

        (is_ours, changed), mark = self._write(work)
        return mark if is_ours else base.UNKNOWN, changed

    def alter(self, function: Callable[[Callable[[bytes], bytes | None]], Sequence[base.Group]]) -> None:
        """Write what `function` returns, which may read with what it is given; nothing comes between."""

        def work(txn: Txn) -> None:
            for head, pairs in steps.merged(function(txn.get)):
                self._apply(txn, head, pairs)

        self._write(work)

    def _write(self, work: Callable[[Txn], Any]) -> tuple[Any, int]:
        if self.read_only:
            raise errors.UsageError(f"the store {self.path} is open for reading.", hint="Open it without read_only.")
        with self._door.writing:
            while True:
                token = object()
                grown, panic = 0, None
                try:
                    self._inside.add(token)
                    if self._door.reason:
                        self._door.wait(token)
                    self._counts.begin()
                    with self._env.begin(write=True) as txn:
                        done = work(txn)
                        self._counts.note(txn)
                        mark = self._mark(txn.id())
                except lmdb.MapFullError:
                    grown = self._map_bytes * 2
                except lmdb.MapResizedError:
                    pass  # another process has: take what it took
                except lmdb.PanicError as error:
                    panic = said(error, self.path)
                except lmdb.Error as error:
                    raise said(error, self.path) from error
                else:
                    self._committed()
                    return done, mark
                finally:
                    self._inside.discard(token)
                if panic is not None:  # LMDB refuses every write from now on, until it is opened again
                    self._exchange(lambda: None)
                    raise panic
                self._set_map(grown)

    def _committed(self) -> None:
        """After a write, inside of its call."""
        self._counts.committed()
        if self._readers.is_time():
            self._readers.seen(self._env)

    def _adopt_map(self) -> None:
        with self._door.writing:
            self._set_map(0)

    def _set_map(self, size: int) -> None:
        """Another size of the map; 0 is what the file has. Under the lock of the writer, outside of any call."""
        self._door.refuse_closed()
        try:
            self._door.shut("its map grows")
            self._env.set_mapsize(size)
            self._map_bytes = self._env.info()["map_size"]
        except lmdb.Error as error:
            raise said(error, self.path) from error
        finally:
            self._door.reason = ""  # no call: an interrupt could come in front of it

    # --- how many there are -------------------------------------------------------------------------------------------

    def _apply(self, txn: Txn, head: bytes, pairs: Sequence[base.Write], *, once: bool = False) -> None:
        """Write `pairs`, and remember by how many entries the partition grew."""
        before = txn.stat()["entries"]
        steps.put_and_delete(txn, pairs, once=once)
        self._counts.add(head, txn.stat()["entries"] - before, len(pairs))

    def count(self, head: bytes, low: bytes, high: bytes) -> int:
        """How many entries a range of the partition `head` has: of a whole partition as noted, else its keys counted."""
        if (low, high) == (head, head + base.ABOVE):
            return self._counts.of(head, self.get(note_key(head)))
        return sum(map(len, self._keys(low, high)))

    # --- upkeep -------------------------------------------------------------------------------------------------------

    def _keys(self, low: bytes, high: bytes) -> Iterator[list[bytes]]:
        """The keys of a range, some at a time, each time in a short transaction."""
        while True:
            keys = self._read(partial(steps.keys_of, low=low))
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
        return base.divided(self._keys(low, high), parts)

    def room(self) -> base.Room:
        """What it takes. `used_bytes` is what the entries would take in full pages, from a sample of them."""
        stat, part = self._read(steps.sampled, buffers=True)
        tree = stat["branch_pages"] + stat["leaf_pages"]
        packed = round(stat["entries"] * part)
        pages = (
            min(tree, round(packed * (1 + stat["branch_pages"] / max(1, stat["leaf_pages"])))) + stat["overflow_pages"]
        )
        return base.Room(
            file_bytes=os.path.getsize(os.path.join(self.path, "data.mdb")),
            used_bytes=(pages + 2) * self.page_bytes,
            entries=stat["entries"] - self.count(base.SYSTEM, base.SYSTEM, base.SYSTEM + b"\xfe"),
            notes={
                "depth": stat["depth"],
                "map_bytes": self._map_bytes,
                "full_pages": f"{min(1.0, packed / max(1, stat['leaf_pages'])):.0%}",
                "overflow_pages": stat["overflow_pages"],
            },
        )

    def readers(self) -> list[base.Reader]:
        """Read transactions that keep free room from being used, in any process, oldest first."""
        return self._read(lambda _txn: self._readers.seen(self._env))

    def compact(self) -> None:
        """Write all entries anew, in their order, and put that file in place of this one. Nobody else may have it open."""
        with self._door.writing:
            made = self._read(lambda _txn: lmdb_upkeep.rewrite(self._env, self.path))
            self._exchange(lambda: lmdb_upkeep.put_in_place(made, self.path))

    def _exchange(self, act: Callable[[], None]) -> None:
        """Close, act on the files, open again, whatever comes of the act. Under the lock of the writer."""
        self._door.refuse_closed()
        is_open = True
        try:
            self._door.shut("its file is exchanged")
            is_open = False
            try:
                self._env.close()
                act()
            finally:
                interrupt: KeyboardInterrupt | None = None
                try:
                    self._env = self._open()
                except KeyboardInterrupt as error:  # once more; who presses twice gets a closed store
                    interrupt = error
                    self._env = self._open()
                self._generation += 1
                is_open = True
                if interrupt is not None:
                    raise interrupt
        finally:
            if is_open:
                self._door.reason = ""  # no call: an interrupt could come in front of it
            else:
                self._door.reason = BROKEN

    def backup(self, path: str) -> None:
        """Write a whole copy, of one version, to an empty directory; whoever writes goes on."""
        self._read(lambda _txn: self._env.copy(path, compact=True))
        lmdb_upkeep.make_durable(path)

    def check(self) -> list[str]:
        """What is wrong with the file, in words. Nobody writes meanwhile."""
        if self.read_only:
            return self._read(lambda _txn: lmdb_upkeep.verify(self.path))
        with self._door.writing:
            return self._read(lambda _txn: self._verified())

    def _verified(self) -> list[str]:
        with self._env.begin(write=True):  # keeps other processes from writing, too
            return lmdb_upkeep.verify(self.path)

    def sync(self) -> None:
        """Make everything durable that was written."""
        self._read(lambda _txn: self._env.sync(True))  # noqa: FBT003 - lmdb's signature

    def trim(self) -> None:
        """Give back the pages that LMDB keeps for the next transaction."""
        with self._door.writing:
            self._exchange(lambda: None)


def _within(page: base.Page, low: bytes, high: bytes, *, reverse: bool) -> base.Page:
    """Without what was read beyond the end of the range."""
    entries = page.entries
    if reverse:
        if entries and entries[-1][0] < low:
            del entries[bisect.bisect_left(entries, True, key=lambda entry: entry[0] < low) :]  # noqa: FBT003
            page.is_last = True
    elif entries and entries[-1][0] >= high:
        del entries[bisect.bisect_left(entries, high, key=_key_of) :]
        page.is_last = True
    return page
