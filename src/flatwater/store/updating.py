"""Change every entry in short transactions: read some, ask the function, write some, go on.

Covers:     the loop of `update_each`, gathering changes, entries that others change meanwhile.
Not here:   reading (`store.batches`), comparing and writing in one transaction (`store.engines`).
Holds:      one batch, and the changes gathered from it and from those before.

Whether others came between reading and writing is told by marks: as long as every commit since the read was one of ours,
nothing has to be read again. Else the values are compared in the transaction that writes.
"""

from __future__ import annotations

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
        self._size = 0  # bytes of all three
        self.done = Updated()

    def run(self) -> Updated:
        """Go through all entries."""
        walk = self._batches.walk
        with self._batches, self._batches.budget.reserve(self.bytes_max(), "store.update_each"):
            while pairs := self._batches.next_batch(keep=True):
                entries = walk.entries
                if not self._keys:
                    self._since = walk.mark
                elif self._since != walk.mark:
                    self._since = base.UNKNOWN
                self.done.seen += len(pairs)
                self._go_through(entries, pairs)
                del pairs, entries
            self._flush()
        return self.done

    def bytes_max(self) -> int:
        """What it holds beside its walk, in bytes; taken from the budget while it runs."""
        total = 0
        total += limits.STORE_GATHERED_BYTES  # changes that wait to be written
        if self._write_rows > limits.STORE_COMMIT_ROWS:  # the store has room for so many at all times
            total += self._space.engine.write_bytes_max(self._write_rows, limits.STORE_GATHERED_BYTES)
        return total

    def _go_through(self, entries: list[base.Raw], pairs: list[Any]) -> None:
        """Ask the function about each entry, gather what changes, and write as often as there is enough."""
        function, is_raw = self._function, self._values.is_raw
        rows, size_max = self._write_rows, limits.STORE_GATHERED_BYTES
        keys_, olds, news = self._keys, self._olds, self._news
        for (raw, old), (key, value) in zip(entries, pairs, strict=True):
            new = function(key, value)
            if new is None:
                continue
            if not is_raw or type(new) is not bytes:
                new = self._encoded(new)
            if new == old:
                continue
            keys_.append(raw)
            olds.append(old)
            news.append(new)
            self._size += len(raw) + len(old) + (0 if new is None else len(new))
            if len(keys_) >= rows or self._size >= size_max:
                self._flush()

    def _encoded(self, value: Any) -> bytes | None:
        return None if value is DELETE else self._values.encode(value)

    def _flush(self) -> None:
        """Write what was gathered; what others have changed meanwhile is asked for once more."""
        keys_, olds, news = self._keys[:], self._olds[:], self._news[:]
        for gathered in (self._keys, self._olds, self._news):
            gathered.clear()
        self._size = 0
        for _try in range(limits.STORE_UPDATE_TRIES):
            if not keys_:
                return
            mark, missed = self._space.engine.replace(keys_[0][: base.HEAD_BYTES], keys_, olds, news, self._since)
            self._since = mark
            left = set(missed)
            written = [new for at, new in enumerate(news) if at not in left] if left else news
            self.done.deleted += written.count(None)
            self.done.changed += len(written) - written.count(None)
            keys_, olds, news = self._asked_again([keys_[at] for at in missed])
        raise errors.BrokenError(
            f"{len(keys_)} entries change faster than they can be written, such as "
            f"{keys.decode(keys_[0], base.HEAD_BYTES)!r:.80}.",
            hint="Call again: what was written stays.",
        )

    def _asked_again(self, missed: list[bytes]) -> tuple[list[bytes], list[bytes], list[bytes | None]]:
        """What the function wants of entries that others have changed, with what stands there now."""
        raw: list[bytes] = []
        olds: list[bytes] = []
        news: list[bytes | None] = []
        if missed:
            self.done.repeated += len(missed)
            for each, old in zip(missed, self._space.engine.get_many(missed), strict=True):
                if old is None:
                    continue  # gone
                key = keys.decode(each, base.HEAD_BYTES)
                value = self._function(key, self._values.decode(old, key))
                new = old if value is None else self._encoded(value)
                if new != old:
                    raw.append(each)
                    olds.append(old)
                    news.append(new)
        return raw, olds, news


__all__ = ["DELETE", "Job", "Updated"]
