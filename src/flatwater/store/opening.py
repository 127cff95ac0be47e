"""Make and open the engine that a store's directory names.

Covers:     the two backends, a library that is not installed, what each needs of the directory's lock.
Not here:   the engines (`store.engines`), the directory (`store.directory`).
Holds:      nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flatwater import errors
from flatwater.meter import allocators
from flatwater.store import directory as directories
from flatwater.store.directory import Directory
from flatwater.store.engines import base
from flatwater.store.engines.long_keys import LongKeys
from flatwater.store.engines.rocksdb_options import Tuning
from flatwater.store.upgrades import upgrade


def make(backend: str, place: str, *, options: Mapping[str, Any] | None = None) -> None:
    """The files of a new engine, before the description says that there are any.

    Raises:
        UsageError: options of another engine, or unknown ones: no store is made then.
        MissingExtra: its library is not installed.
    """
    try:
        if backend == "lmdb":
            _refuse_options(options)
            from flatwater.store.engines import lmdb_upkeep

            lmdb_upkeep.create(place)
        else:
            Tuning.of(options)  # refuses what is wrong
            allocators.one_arena()
            from flatwater.store.engines import rocksdb_upkeep

            rocksdb_upkeep.create(place)
    except ImportError as error:
        raise _missing(error) from error


def open_engine(
    directory: Directory, *, sync: str, options: Mapping[str, Any] | None, budget_bytes: int, traceless: bool = False
) -> base.Engine:
    """The engine of a store.

    Args:
        directory: whose lock is held.
        sync: "full", "normal" or "off".
        options: of RocksDB.
        budget_bytes: that are free in the budget: an engine that can do with less takes less.
        traceless: for reading while nobody writes, without a change of any file (LMDB).

    Raises:
        UsageError: options of another engine, or unknown ones.
        MissingExtra: its library is not installed.
    """
    upgrade(directory)
    place, read_only = directory.engine_path, directory.read_only
    try:
        if directory.description.backend == "lmdb":
            _refuse_options(options)
            from flatwater.store.engines.lmdb import LmdbEngine

            keep_out = None if traceless and read_only else directory.keep_out
            return LongKeys(LmdbEngine(place, sync=sync, read_only=read_only, keep_out=keep_out))
        allocators.one_arena()  # blocks of the cache go from thread to thread: each arena would keep what others gave up
        from flatwater.store.engines.rocksdb import RocksdbEngine

        if not read_only:
            directory.keep()
        return RocksdbEngine(place, sync=sync, read_only=read_only, options=options, budget_bytes=budget_bytes)
    except ImportError as error:
        raise _missing(error) from error
    except OSError as error:
        raise directories.said(error, directory.path) from error


def _refuse_options(options: Mapping[str, Any] | None) -> None:
    if options:
        raise errors.UsageError("options are RocksDB's.", hint="Leave them out, or take backend='rocksdb'.")


def _missing(error: ImportError) -> ImportError:
    name = (error.name or "").partition(".")[0]
    return errors.MissingExtra("store", name) if name in {"lmdb", "rocksdict"} else error
