"""Ordered entries on disk, under partitions that share files and memory; what was promised is taken from the budget.

Covers:     opening and closing, partitions, writes to several at once, upkeep: compact, check, backup, trim, stats.
Not here:   entries (`store.partition`), the engines (`store.engines`), when compacting pays (`store.compacting`).
Holds:      what its engine holds; see `Store.bytes_max`.
"""

from __future__ import annotations

import glob
import os
import shutil
import warnings
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Literal, Self, final

import psutil

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.store import directory as directories
from flatwater.store import opening
from flatwater.store.compacting import Compacted, Policy, compacted
from flatwater.store.directory import Directory
from flatwater.store.engines import base
from flatwater.store.keys import Key
from flatwater.store.partition import Partition
from flatwater.store.space import Space, check_size
from flatwater.store.stats import Stats, stats_of
from flatwater.store.values import Values

SYNC_LEVELS = ("full", "normal", "off")
_COPYING = ".flatwater-tmp-"  # then the process, and a number
MAIN = "main"  # the partition that the store's own methods work on


@final
class Store(Partition):
    """An ordered key-value store in a directory. Thread-safe; it is a partition itself, named "main".

    What each level of `sync` may lose: a process that is killed loses nothing that was acknowledged, at any level of LMDB;
    RocksDB at "off" loses what was not flushed. A machine that loses power loses nothing at "full"; at "normal" the last
    writes, and the store is whole; at "off" LMDB's file may be damaged, which `check()` finds. See docs/store.md.

    Args:
        path: of the directory; made if it does not exist.
        backend: "lmdb" or "rocksdb"; by default what is there, and "lmdb" for a new store.
        sync: "full", "normal" or "off".
        type: of the values: bytes, or what msgspec knows (a Struct, a dataclass, dict, ...).
        format: of typed values, "msgpack" or "json".
        read_only: nothing is changed, and nothing is made.
        traceless: with `read_only`, for LMDB: its table of readers is not written either. Only for one who sees to it that
            nobody writes meanwhile: a writer would use the pages that are read.
        options: of RocksDB, such as {"block_cache_size": "32 MiB"}; see `flatwater store explain`.

    Raises:
        UsageError: an argument is wrong, there is no store or something else, or this process has it open.
        BrokenError: the disk, the rights, a newer format, or another process that has it.
        CorruptError: its files are damaged.
        BudgetExceeded: it does not fit into the ambient budget.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Store(folder) as store:
    ...     store.put(("users", 17), b"Ada")
    ...     store.write([(("users", 18), b"Grace"), (("users", 17), None)])
    ...     list(store.batches(("users",)))
    [[(('users', 18), b'Grace')]]
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        backend: Literal["lmdb", "rocksdb"] | None = None,
        sync: Literal["full", "normal", "off"] = "full",
        *,
        type: Any = bytes,  # noqa: A002 - what it is
        format: Literal["msgpack", "json"] = "msgpack",  # noqa: A002 - what it is
        read_only: bool = False,
        traceless: bool = False,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self._engine: base.Engine | None = None
        if sync not in SYNC_LEVELS:
            raise errors.UsageError(f"sync={sync!r} is not known.", hint=f"Take one of {', '.join(SYNC_LEVELS)}.")
        values = Values(type, format)
        budget = Budget.current()
        self._directory = Directory(
            path, backend=backend, read_only=read_only, make=partial(opening.make, options=options)
        )
        self.path = self._directory.path
        self.backend = self._directory.description.backend
        self.sync_level = sync
        engine: base.Engine | None = None
        try:
            engine = opening.open_engine(
                self._directory, sync=sync, options=options, budget_bytes=budget.free, traceless=traceless
            )
            self._reservation = budget.reserve(engine.bytes_max(), f"store {os.path.basename(self.path)}")
        except BaseException:
            if engine is not None:
                engine.close()
            self._directory.close()
            raise
        self._engine = engine
        super().__init__(Space(self.path, engine, budget), MAIN, values)

    # --- partitions ---------------------------------------------------------------------------------------------------

    def partition(
        self,
        name: str,
        *,
        type: Any = bytes,  # noqa: A002 - what it is
        format: Literal["msgpack", "json"] = "msgpack",  # noqa: A002 - what it is
    ) -> Partition:
        """The entries under `name`. It begins to exist with its first write; thousands of them cost no memory each.

        Args:
            name: a text of up to 200 bytes in UTF-8.
            type: of the values, as for the store.
            format: of typed values.
        """
        try:
            size = len(name.encode()) if isinstance(name, str) else 0
        except UnicodeEncodeError:
            size = 0
        if not 1 <= size <= limits.STORE_NAME_BYTES_MAX:
            raise errors.UsageError(
                f"{name!r:.80} is no name of a partition.",
                hint=f"Give a text of up to {limits.STORE_NAME_BYTES_MAX} bytes of UTF-8.",
            )
        return Partition(self._space, name, Values(type, format))

    def partitions(self) -> list[str]:
        """The names of those that have been written to, sorted."""
        return list(self._space.names())

    def write_to(self, pairs: Mapping[Partition, Iterable[tuple[Key, Any]]]) -> None:
        """Write to several partitions at once: all or nothing.

        Args:
            pairs: for each partition, keys and values as for `write`.

        Raises:
            UsageError, BudgetExceeded, BrokenError: as `write`.
        """
        encoded: list[tuple[Partition, base.Group]] = []
        total = 0
        if not isinstance(pairs, Mapping):
            raise errors.UsageError(
                "write_to takes a dict: for each partition, its pairs.", hint="See store.partition(name)."
            )
        for partition, wanted in pairs.items():
            if not isinstance(partition, Partition) or partition._space is not self._space:  # noqa: SLF001 - its own kind
                raise errors.UsageError(
                    f"{partition!r:.80} is no partition of this store.", hint="Take store.partition(name)."
                )
            group, size = partition.encoded(wanted)
            if group[1]:
                encoded.append((partition, group))
                total += size
        check_size(total)
        groups = [group for partition, each in encoded if (group := partition.placed(each))[1]]
        if groups:
            self._space.write(groups, total)

    # --- upkeep -------------------------------------------------------------------------------------------------------

    def compact(self, policy: Policy | None = None) -> Compacted:
        """Give free room in the files back to the disk. Writers wait meanwhile, readers hardly.

        Args:
            policy: when it is worth its time; None does it in any case.

        Returns:
            Bytes before and after, and why it was done or not.

        Raises:
            BrokenError: no room for the new file beside the old one, or another process has the store open.
        """
        return compacted(self._space.engine, self._directory, policy)

    def check(self) -> list[str]:
        """What is wrong with the store, in words; empty if nothing is. Reads all of it; others cannot write meanwhile."""
        return self._space.engine.check()

    def stats(self) -> Stats:
        """What it takes on disk and in memory, who reads it: a table when printed, `.to_dict()` for JSON."""
        return stats_of(self)

    def backup(self, path: str | os.PathLike[str]) -> None:
        """Write a copy of this moment, which is a store itself, to a directory that does not exist; others go on writing.

        Raises:
            UsageError: there is something at `path`.
            BrokenError: the disk is full or broken; nothing is left at `path`.
        """
        target = directories.full(path)
        if os.path.lexists(target):
            raise errors.UsageError(f"{target} exists.", hint="Give a path that does not.")
        made = f"{target}{_COPYING}{os.getpid()}-{os.urandom(4).hex()}"  # threads of one process, too, may copy to one place
        _clear_killed(target)
        try:
            os.makedirs(made)
            copy = Directory(made, backend=self.backend, read_only=False)
            try:
                self._space.engine.backup(copy.engine_path)
            finally:
                copy.close()
            os.rename(made, target)
            directories.sync_directory(os.path.dirname(target))
        except OSError as error:
            raise errors.BrokenError(
                f"{target} could not be written: {(error.strerror or str(error)).lower()}."
            ) from error
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def trim(self) -> None:
        """Give memory back after a big phase: what the engine keeps for the next one, and what malloc does."""
        from flatwater.meter.retained import trim

        self._space.engine.trim()
        trim()

    def bytes_max(self) -> int:
        """The most it holds in memory, in bytes, beside its walks and large writes, which take theirs when they run."""
        return self._space.engine.bytes_max()

    def close(self) -> None:
        """End: what was written at "off" is made durable, its bytes go back to the budget. More than once does no harm."""
        engine, self._engine = self._engine, None
        if engine is None:
            return
        try:
            engine.close()
        finally:
            self._directory.close()
            self._reservation.release()

    def __enter__(self) -> Self:
        if self._engine is None:
            raise errors.ClosedError(f"the store {self.path} was closed.", hint="Open it again.")
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_engine", None) is not None:
            warnings.warn(f"unclosed store {self.path!r}", ResourceWarning, stacklevel=2)
            self.close()


def _clear_killed(target: str) -> None:
    """Remove what backups left that were killed; a directory that only looks like one of theirs stays."""
    for left in glob.glob(f"{glob.escape(target)}{_COPYING}*"):
        number = left.rpartition(_COPYING)[2].partition("-")[0]
        if number.isdigit() and not psutil.pid_exists(int(number)) and directories.is_ours(left):
            shutil.rmtree(left, ignore_errors=True)
