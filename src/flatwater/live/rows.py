"""Where rows stand: the bytes of their keys, the range of what one user has, the value with its number.

Covers:     keys of rows, ranges of a table, of a user, of a prefix of the primary key; values.
Not here:   reading them (`live.reading`), changing them (`live.writing`).
Holds:      nothing.

A key is the head of a partition, the table's number, the user, the primary key. The user is in the bytes that are read, so
whatever a statement says, rows of others are out of its reach.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple, final

from flatwater.live.schema import STREAM, Row, Schema
from flatwater.store import keys

_NUMBER = struct.Struct(">Q")
NUMBER_BYTES = _NUMBER.size  # in front of the JSON of a row: of its last change

Range = tuple[bytes, bytes]


class Heads(NamedTuple):
    """What the keys of each partition begin with."""

    rows: bytes
    stream: bytes
    catalog: bytes


@final
class Place:
    """The rows of one table that one user sees. Immutable.

    Args:
        heads: of the partitions.
        schema: the table.
        user: whose rows; nobody's for a SHARED table.

    Attributes:
        there: a key that is in the store as long as the table is.
    """

    def __init__(self, heads: Heads, schema: Schema, user: str) -> None:
        self.schema = schema
        self.user = user if schema.is_personal else ""
        self.head = heads.stream if schema.kind == STREAM else heads.rows
        self._front = keys.encode(self.head, (schema.number, self.user)) + keys.END
        self.there = there_key(heads.catalog, schema.number)

    @property
    def range(self) -> Range:
        """Where its keys begin, and the end behind them."""
        return self._front, self._front + keys.ABOVE

    def key(self, row: Row) -> bytes:
        """Of a row."""
        return keys.encode(self._front, self.schema.key_of(row))

    def key_of(self, values: tuple[Any, ...]) -> bytes:
        """Of the values of the primary key."""
        return keys.encode(self._front, values)

    def prefix(self, values: tuple[Any, ...]) -> Range:
        """Where keys begin and end whose first values are these; all of them without any."""
        return keys.prefix_range(self._front, values) if values else self.range


def there_key(catalog: bytes, number: int) -> bytes:
    """The key that is in the store as long as a table is."""
    return keys.encode(catalog, ("numbered", number))


def table_range(head: bytes, number: int) -> Range:
    """All rows of a table, of all users."""
    return keys.prefix_range(head, (number,))


def user_of(key: bytes) -> str:
    """Whose row it is; empty in a SHARED table."""
    user: str = keys.decode(key, len(key) and 3)[1]
    return user


def stored(number: int, row: bytes) -> bytes:
    """The value of a row that was changed last with this number."""
    return _NUMBER.pack(number) + row


def number_of(value: bytes) -> int:
    """The number of a row's last change."""
    number: int = _NUMBER.unpack_from(value)[0]
    return number
