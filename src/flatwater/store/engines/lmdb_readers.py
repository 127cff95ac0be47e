"""Read transactions that stay open: since when they were seen, and telling of old ones, each once.

Covers:     LMDB's table of readers in all processes, clearing those of dead processes, looking now and then.
Not here:   parsing the table (`engines.lmdb_upkeep`), our own short transactions, which are gone before anybody looks.
Holds:      a time for each reader that is behind.

While a reader is open, pages that were freed since it began cannot be used again, so the file grows.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, final

from flatwater import limits
from flatwater.store.engines import base
from flatwater.store.engines.lmdb_upkeep import readers_of

if TYPE_CHECKING:
    import lmdb

logger = logging.getLogger("flatwater.store")


@final
class Readers:
    """Of one open file.

    Args:
        path: of it, for the log.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._since: dict[tuple[int, int], float] = {}  # by process and transaction
        self._told: set[tuple[int, int]] = set()
        self._next_look = time.monotonic() + limits.STORE_READERS_PERIOD_S

    def is_time(self) -> bool:
        """Whether to look again after a write."""
        return time.monotonic() >= self._next_look

    def seen(self, env: lmdb.Environment) -> list[base.Reader]:
        """Those that are behind, oldest first; inside of a call."""
        if not env.flags()["readonly"]:
            env.reader_check()
        with env.begin() as txn:
            found = {key: behind for key, behind in readers_of(env.readers(), txn.id()).items() if behind}
        now = time.monotonic()
        self._next_look = now + limits.STORE_READERS_PERIOD_S
        self._since = {key: self._since.get(key, now) for key in found}
        self._told &= self._since.keys()
        readers = [base.Reader(key[0], now - self._since[key], behind) for key, behind in found.items()]
        for key, reader in zip(found, readers, strict=True):
            if (reader.age_s or 0) >= limits.STORE_READER_OLD_S and key not in self._told:
                self._told.add(key)
                logger.warning(
                    "store %s: a read transaction of process %d is open for %.0f s and %d commits: the file grows meanwhile",
                    self._path, reader.process, reader.age_s, reader.commits_behind,
                )  # fmt: skip
        return sorted(readers, key=lambda reader: -reader.commits_behind)
