"""The text of each live query and how much it was given: on disk, since nobody needs it to be served.

Covers:     entering, counting, leaving; the rows of `system.live_queries`.
Not here:   what is needed to serve one (`live.subscriptions`).
Holds:      a small store; nothing for each query.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, final

import msgspec

from flatwater import limits
from flatwater.live.schema import Row
from flatwater.store.store import Store

_FOLDER = "queries"


class Query(msgspec.Struct):
    """A live query as it stands on disk."""

    user: str
    text: str
    started: datetime
    events: int = 0


@final
class Queries:
    """What `system.live_queries` is made of. Thread-safe. It ends with the process: what another one left is removed.

    Args:
        path: of the database's directory.

    Attributes:
        pushed: how many changes a query was given as they came, beside those that it read; for any thread.
    """

    def __init__(self, path: str) -> None:
        self._path = os.path.join(path, _FOLDER)
        shutil.rmtree(self._path, ignore_errors=True)
        self._store = Store(self._path, "lmdb", "off", type=Query)
        self._lock = threading.Lock()
        self.pushed: Callable[[int], int] = lambda _number: 0

    def enter(self, number: int, user: str, text: str) -> None:
        """A query begins."""
        self._store.put((number,), Query(user, text, datetime.now(UTC)))

    def count(self, number: int, events: int) -> None:
        """It was given so many events more."""
        with self._lock:
            query = self._store.get((number,))
            if query is not None:
                query.events += events
                self._store.put((number,), query)

    def owner(self, number: int) -> str | None:
        """Whose it is; None if there is none of this number."""
        query = self._store.get((number,))
        return None if query is None else query.user

    def leave(self, number: int) -> None:
        """It has ended."""
        with self._lock:
            self._store.delete((number,))

    def rows(self) -> Iterator[Row]:
        """All of them, by number."""
        for batch in self._store.batches(bytes=limits.LIVE_PAGE_BYTES):
            for key, query in batch:
                row: dict[str, Any] = {"number": key[0], "user": query.user, "query": query.text}
                yield row | {"started": query.started, "events": query.events + self.pushed(key[0])}

    def bytes_max(self) -> int:
        """What its store takes."""
        return self._store.bytes_max()

    def close(self) -> None:
        """End, and leave nothing."""
        self._store.close()
        shutil.rmtree(self._path, ignore_errors=True)
