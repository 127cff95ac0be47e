"""The log: each change of a row, in the order in which they were committed, with the row before and after.

Covers:     records as bytes, where the log begins and ends, reading on behind a number, what is to be trimmed.
Not here:   committing (`live.writing`), who reads it (`live.following`).
Holds:      nothing; a page of records while it is read.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple, final

from flatwater import errors, limits
from flatwater.store import keys
from flatwater.store.engines import base

INSERT, UPDATE, DELETE = 1, 2, 3

# operation, table, bytes of the key, bytes of the old row; bytes of the log until here, the number of the record before, and of the
# row's last change before this one
_HEAD = struct.Struct(">BIHIQQQ")
_NONE = 0xFFFF_FFFF  # bytes of an old row that there is not

Get = Callable[[bytes], bytes | None]
PageOf = Callable[..., base.Page]


class Change(NamedTuple):
    """One change of a row.

    Attributes:
        sequence: its number.
        table: number of the table.
        key: of the row, with the head of its partition.
        old: the row's JSON before; None for an insert.
        new: the row's JSON afterwards; None for a delete.
        since: number of the change that made the old row; 0 if there was none.
    """

    sequence: int
    table: int
    key: bytes
    old: bytes | None
    new: bytes | None
    since: int = 0

    @property
    def operation(self) -> int:
        """INSERT, UPDATE or DELETE."""
        return INSERT if self.old is None else DELETE if self.new is None else UPDATE


@final
class Log:
    """The records under one head. Thread-safe: it keeps nothing but what `begin` and `end` say.

    Args:
        head: of the log's partition.
    """

    def __init__(self, head: bytes) -> None:
        self._head = head
        self.low, self.high = head, head + base.ABOVE

    def key(self, sequence: int) -> bytes:
        """Of a record."""
        return keys.encode(self._head, (sequence,))

    def record(self, change: Change, before: int, previous: int) -> tuple[bytes, bytes]:
        """The entry of a change: behind so many bytes of records that were ever written, and behind the record `previous`."""
        old, new = change.old, change.new
        front = _HEAD.pack(
            change.operation,
            change.table,
            len(change.key),
            _NONE if old is None else len(old),
            before,
            previous,
            change.since,
        )
        return self.key(change.sequence), b"".join((front, change.key, old or b"", new or b""))

    def change(self, key: bytes, value: bytes) -> Change:
        """The change of a record.

        Raises:
            CorruptError: it is none.
        """
        try:
            operation, table, key_bytes, old_bytes, _bytes, _previous, since = _HEAD.unpack_from(value)
            at = _HEAD.size + key_bytes
            end = at if old_bytes == _NONE else at + old_bytes
            return Change(
                self.sequence(key),
                table,
                value[_HEAD.size : at],
                None if old_bytes == _NONE else value[at:end],
                None if operation == DELETE else value[end:],
                since,
            )
        except struct.error as error:
            raise errors.CorruptError(
                f"a record of the log cannot be read: {error}.", hint="Restore the database from a backup."
            ) from error

    def sequence(self, key: bytes) -> int:
        """Of the record behind this key."""
        number: int = keys.decode(key, base.HEAD_BYTES)[0]
        return number

    # --- where it begins and ends -------------------------------------------------------------------------------------

    def ends(self, page: PageOf) -> tuple[int, int]:
        """How many bytes of records were written, ever, and the number of the last one; 0 and 0 if there is none."""
        last = page(self.low, self.high, rows=1, bytes_max=1, reverse=True).entries
        if not last:
            return 0, 0
        key, value = last[0]
        return _before(value) + len(value), self.sequence(key)

    def begins(self, page: PageOf) -> tuple[int, int]:
        """How many bytes of records were trimmed, ever, and the number of the last one of these; 0 and 0 if none was."""
        first = page(self.low, self.high, rows=1, bytes_max=1, reverse=False).entries
        return _HEAD.unpack_from(first[0][1])[4:6] if first else (0, 0)

    def behind(self, page: PageOf, sequence: int, up_to: int) -> list[Change]:
        """Changes behind `sequence`, up to and with `up_to`: as many as fit, one at least if there is one."""
        low, high = self.key(sequence + 1), self.key(up_to + 1)
        if low >= high:
            return []
        found = page(low, high, rows=limits.LIVE_LOG_PAGE_ROWS, bytes_max=limits.LIVE_LOG_PAGE_BYTES, reverse=False)
        return [self.change(key, value) for key, value in found.entries]

    def trimmed(self, page: PageOf, until: int, keep: int) -> list[base.Write]:
        """Deletions of the first records: of those that begin in front of byte `until`, and not behind the number `keep`."""
        found = page(
            self.low, self.high, rows=limits.LIVE_TRIM_ROWS, bytes_max=limits.LIVE_LOG_PAGE_BYTES, reverse=False
        )
        gone: list[base.Write] = []
        for key, value in found.entries:
            if _before(value) >= until or self.sequence(key) > keep:
                break
            gone.append((key, None))
        return gone


def _before(value: bytes) -> int:
    number: int = _HEAD.unpack_from(value)[4]
    return number
