"""Change every entry in short transactions: read some, ask the function, write some, go on.

Covers:     the loop of `update_each`, gathering changes, entries that others change meanwhile.
Not here:   reading (`store.batches`), comparing and writing in one transaction (`store.engines`).
Holds:      one batch, and the changes gathered from it and from those before.

Whether others came between reading and writing is told by marks: as long as every commit since the read was one of ours,
nothing has to be read again. Else the values are compared in the transaction that writes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits
from flatwater.store import keys
from flatwater.store.batches import Batches
from flatwater.store.engines import base
from flatwater.store.values import Values

if TYPE_CHECKING:
    from flatwater.store.space import Space


@final
class _Delete:
    """What a function returns for an entry that is to be deleted."""

    def __repr__(self) -> str:
        return "Store.DELETE"


DELETE = _Delete()


@dataclass(slots=True)
class Updated:
    """What a call of `update_each` did.

    Attributes:
        seen: entries the function was called with.
        changed: entries written.
        deleted: entries deleted.
        repeated: entries read again because others had changed or deleted them meanwhile.
    """

    seen: int = 0
    changed: int = 0
    deleted: int = 0
    repeated: int = 0


@final
class Job:
    """One call of `update_each`."""

    def __init__(
        self, space: Space, batches: Batches, values: Values, function: Callable[[Any, Any], Any], write_rows: int
    ) -> None:
        if not callable(function):
            raise errors.UsageError(f"{function!r} is no function.", hint="Give one that takes a key and a value.")
        self._space = space
        self._batches = batches
        self._values = values
        self._function = function
        self._write_rows = write_rows
        self._since = base.UNKNOWN
        self._keys: list[bytes] = []
        self._olds: list[bytes] = []
        self._news: list[bytes | None] = []
        self._bytes = 0
        self.done = Updated()

    def run(self) -> Updated:
        """Go through all entries."""
        walk = self._batches.walk
        function = self._function
        with self._batches, self._room():
            while pairs := self._batches.next_batch(keep=True):
                entries = walk.entries
                if not self._keys:
                    self._since = walk.mark
                elif self._since != walk.mark:
                    self._since = base.UNKNOWN
                self.done.seen += len(pairs)
                wanted = [function(key, value) for key, value in pairs]
                del pairs
                if wanted.count(None) < len(wanted):
                    self._gather(entries, wanted)
                del entries
            self._flush()
        return self.done

    def _room(self) -> contextlib.AbstractContextManager[object]:
        """The budget's bytes for changes that are gathered, and for the transaction that writes them."""
        if self._write_rows <= limits.STORE_COMMIT_ROWS:
            return contextlib.nullcontext()  # the store has room for so many at all times
        size = self._space.engine.write_bytes_max(self._write_rows, limits.STORE_GATHERED_BYTES)
        return self._space.budget.reserve(size, "store.update_each")

    def _gather(self, entries: list[base.Raw], wanted: list[Any]) -> None:
        """Add to the changes, and write when there are enough."""
        is_raw = self._values.is_raw
        for (key, old), value in zip(entries, wanted, strict=True):
            if value is None:
                continue
            new = value if is_raw and type(value) is bytes else self._encoded(value)
            if new == old:
                continue
            self._keys.append(key)
            self._olds.append(old)
            self._news.append(new)
            self._bytes += len(key) + len(old) + len(new or b"")
            if len(self._keys) >= self._write_rows or self._bytes >= limits.STORE_GATHERED_BYTES:
                self._flush()

    def _encoded(self, value: Any) -> bytes | None:
        return None if value is DELETE else self._values.encode(value)

    def _flush(self) -> None:
        """Write what was gathered; what others have changed meanwhile is asked for once more."""
        for _try in range(limits.STORE_UPDATE_TRIES):
            if not self._keys:
                return
            written, olds, news = self._keys, self._olds, self._news
            head = written[0][: base.HEAD_BYTES]
            mark, missed = self._space.engine.replace(head, written, olds, news, self._since)
            deleted = news.count(None)
            self.done.deleted += deleted
            self.done.changed += len(news) - deleted
            self._keys, self._olds, self._news, self._bytes = [], [], [], 0
            if not missed:
                self._since = mark
                return
            self.done.deleted -= [news[at] for at in missed].count(None)
            self.done.changed -= len(missed) - [news[at] for at in missed].count(None)
            self._ask_again([written[at] for at in missed])
            self._since = base.UNKNOWN
        raise errors.BrokenError(
            f"{len(self._keys)} entries change faster than they can be written, such as "
            f"{keys.decode(self._keys[0], base.HEAD_BYTES)!r:.80}.",
            hint="Call again: what was written stays.",
        )

    def _ask_again(self, missed: list[bytes]) -> None:
        """Call the function with what stands there now."""
        self.done.repeated += len(missed)
        for raw, old in zip(missed, self._space.engine.get_many(missed), strict=True):
            if old is None:
                continue  # gone
            key = keys.decode(raw, base.HEAD_BYTES)
            value = self._function(key, self._values.decode(old, key))
            if value is None:
                continue
            new = self._encoded(value)
            if new != old:
                self._keys.append(raw)
                self._olds.append(old)
                self._news.append(new)


__all__ = ["DELETE", "Job", "Updated"]
