"""What all partitions of an open store share: the engine, the names, the budget.

Covers:     heads of partitions, writes that fit into the budget, the last word before the engine.
Not here:   opening and closing (`store.store`), the engine's own work (`store.engines`).
Holds:      the heads of the partitions that were used, and what the engine holds.

A head is three bytes from 02 to 7F in front of every key of a partition: two million of them, none the beginning of
another. The names stand in the store itself, under the first head.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.store import keys
from flatwater.store.engines import base

_DIGITS = 126
_NAMES = base.SYSTEM + b"\x02"  # then a name
_LAST = base.SYSTEM + b"\x01last"  # the number of the last partition


@final
class Space:
    """The inside of an open store. Thread-safe."""

    def __init__(self, path: str, engine: base.Engine, budget: Budget) -> None:
        self.path = path
        self.engine = engine
        self.budget = budget
        self._heads: dict[str, bytes] = {}

    def head_of(self, name: str) -> bytes | None:
        """The head of a partition; None if nothing was ever written to it."""
        head = self._heads.get(name)
        if head is None:
            head = self.engine.get(_NAMES + name.encode())
            if head is not None:
                self._heads[name] = head
        return head

    def made_head_of(self, name: str) -> bytes:
        """The head of a partition, which is given one if it has none."""
        head = self.head_of(name)
        while head is None:
            self.engine.alter(lambda get: _given_head(name, get))
            head = self.head_of(name)
        return head

    def names(self) -> Iterator[str]:
        """The partitions that have been written to, in the order of their names."""
        low, high = _NAMES, base.SYSTEM + b"\x03"
        while True:
            page = self.engine.page(
                low, high, rows=limits.STORE_BATCH_ROWS, bytes_max=limits.STORE_BATCH_BYTES, reverse=False
            )
            for key, _head in page.entries:
                yield key[len(_NAMES) :].decode()
            if page.is_last:
                return
            low = page.entries[-1][0] + b"\x00"

    def write(self, groups: Sequence[base.Group], size: int) -> int:
        """One transaction, of so many bytes in keys and values.

        Raises:
            UsageError: it has more bytes than one may have.
            BudgetExceeded: it does not fit into the budget.
        """
        check_size(size)
        rows = sum(len(pairs) for _head, pairs in groups)
        if rows <= limits.STORE_COMMIT_ROWS and size <= limits.STORE_COMMIT_BYTES:
            return self.engine.write(groups)  # it has room for these at all times
        with self.budget.reserve(self.engine.write_bytes_max(rows, size), "store.write"):
            return self.engine.write(groups)


def check_key(size: int) -> None:
    """Of the longest key of a write, without or with its head.

    Raises:
        UsageError: it is longer than a key may be.
    """
    if size > limits.STORE_KEY_BYTES_MAX:
        raise errors.UsageError(
            f"a key of {size} B is longer than {limits.STORE_KEY_BYTES_MAX}.", hint="Put a hash of it into the key."
        )


def check_size(size: int) -> None:
    """Of one write.

    Raises:
        UsageError: it has more bytes than one may have.
    """
    if size > limits.STORE_WRITE_BYTES_MAX:
        raise errors.UsageError(
            f"more than {limits.STORE_WRITE_BYTES_MAX} B in one write, which is one transaction.",
            hint="Write in several parts.",
        )


def _given_head(name: str, get: Callable[[bytes], bytes | None]) -> list[base.Group]:
    """What is to be written for a partition of this name to exist."""
    if get(_NAMES + name.encode()) is not None:  # another process was faster
        return []
    number = int.from_bytes(get(_LAST) or b"", "big") + 1
    if number > limits.STORE_PARTITIONS_MAX:
        raise errors.LimitReached(
            f"a store has {limits.STORE_PARTITIONS_MAX} partitions at most.",
            what="STORE_PARTITIONS_MAX", limit=limits.STORE_PARTITIONS_MAX, hint="Put the name into the keys.",
        )  # fmt: skip
    digits = (number // _DIGITS**2, number // _DIGITS % _DIGITS, number % _DIGITS)
    head = bytes(2 + digit for digit in digits)
    return [(base.SYSTEM, [(_NAMES + name.encode(), head), (_LAST, number.to_bytes(4, "big"))])]


assert _DIGITS**3 > limits.STORE_PARTITIONS_MAX
assert keys.NONE > 1  # what stands in front of it, under the first head, is no tuple
