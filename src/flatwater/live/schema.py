"""What a table is: its kind, its columns, its key; rows as the JSON that is stored and pushed.

Covers:     columns and their defaults, primary keys as tuples, encoding and decoding rows, columns that were added later.
Not here:   types (`live.types`), where tables are kept (`live.catalog`), statements (`live.statements`).
Holds:      an encoder, a decoder, the columns.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypedDict, final

import msgspec

from flatwater import errors, limits
from flatwater.live.types import Type

Row = dict[str, Any]

USER, SHARED, STREAM = "USER", "SHARED", "STREAM"
KINDS = (USER, SHARED, STREAM)
ACCESS_LEVELS = ("PUBLIC", "RESTRICTED", "PRIVATE")
FIELD_TYPE = "flatwater.type"  # in the metadata of Arrow's fields
NOW, SNOWFLAKE = "NOW()", "SNOWFLAKE_ID()"  # defaults that are made for each row

_encode = msgspec.json.Encoder().encode


class Column(NamedTuple):
    """A column.

    Attributes:
        name: as it was written, in lower case unless it was quoted.
        type: of its values.
        is_required: it takes no NULL.
        default: a value that fits the type, `NOW()` or `SNOWFLAKE_ID()` where `is_made`, or None.
        is_made: the default is one of these two, made for each row.
    """

    name: str
    type: Type
    is_required: bool = False
    default: Any = None
    is_made: bool = False

    def field(self, name: str = "") -> Any:
        """The pyarrow.Field of it, which says so where its texts are UUIDs or JSON."""
        import pyarrow as pa

        said = {FIELD_TYPE: self.type.name} if self.type.name in {"UUID", "JSON"} else None
        return pa.field(name or self.name, self.type.arrow(), metadata=said)


@functools.lru_cache(limits.LIVE_DECODERS_MAX)
def _decoder(columns: tuple[tuple[str, Any], ...]) -> msgspec.json.Decoder[Row]:
    """Of rows with these columns: tables that have the same share it."""
    fields = {name: kind | None for name, kind in columns}
    made: msgspec.json.Decoder[Row] = msgspec.json.Decoder(TypedDict("Row", fields, total=False))  # type: ignore[operator]
    return made


@final
class Schema:
    """A table. Immutable and thread-safe: `ALTER TABLE` makes another one.

    Args:
        number: of the table, which its rows' keys begin with; never used again for another one.
        namespace: that it is in.
        name: without the namespace.
        kind: USER, SHARED or STREAM.
        columns: in the order in which they were made.
        key: names of the columns of the primary key.
        access: of a SHARED table, who may: PUBLIC, RESTRICTED or PRIVATE.
        ttl_s: seconds that a row of a STREAM table lives.
        is_changed: columns were added, so that the JSON of some rows lacks them.
        born: a number that is below those of all its changes: one below it is of another table that had the name.
    """

    def __init__(
        self,
        number: int,
        namespace: str,
        name: str,
        kind: str,
        columns: Sequence[Column],
        key: Sequence[str],
        *,
        access: str = "PRIVATE",
        ttl_s: int = 0,
        is_changed: bool = False,
        born: int = 0,
    ) -> None:
        self.number = number
        self.namespace = namespace
        self.name = name
        self.kind = kind
        self.columns = {column.name: column for column in columns}
        self.key = tuple(key)
        self.access = access
        self.ttl_s = ttl_s
        self._names = tuple(self.columns)
        self._decode = _decoder(tuple((column.name, column.type.python) for column in columns)).decode
        self.is_changed = is_changed
        self.born = born
        self._added = {column.name: column.default for column in columns if not column.is_made}

    @property
    def full_name(self) -> str:
        """With its namespace."""
        return f"{self.namespace}.{self.name}"

    @property
    def is_personal(self) -> bool:
        """Whether each user has rows of his own in it."""
        return self.kind != SHARED

    def encode(self, row: Mapping[str, Any]) -> bytes:
        """The JSON of a row whose values fit, which has all columns."""
        return _encode({name: row[name] for name in self._names})

    def decode(self, stored: bytes) -> Row:
        """The row of its JSON: all columns, in their order; those that were added since have their default.

        Raises:
            CorruptError: it is no JSON of this table.
        """
        try:
            row: Row = self._decode(stored)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise errors.CorruptError(
                f"a row of {self.full_name} cannot be read: {error}.", hint="Restore the database from a backup."
            ) from error
        if len(row) != len(self._names):
            row = {name: row[name] if name in row else self._added.get(name) for name in self._names}
        return row

    def key_of(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """The values of the primary key."""
        return tuple([row[name] for name in self.key])

    def arrow(self) -> Any:
        """The pyarrow.Schema of its rows."""
        import pyarrow as pa

        return pa.schema([column.field() for column in self.columns.values()])
