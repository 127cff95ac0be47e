"""Rows as record batches of Arrow, with one schema for the whole pass.

Covers:     types by what the database declares, else by the first values; batches of bounded bytes.
Not here:   rows as Python objects (`tables.forms`).
Holds:      the rows of one batch as tuples while its columns are built; a schema.

A batch and the rows that it is made of are there at the same time, and allocators keep pieces between the two: each of the
three has a third of `batch_bytes`.
"""

from __future__ import annotations

import itertools
import json
import mmap
import re
from array import array
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from flatwater import errors
from flatwater.source.tables.adapters.sqlite_columns import Kind
from flatwater.source.tables.forms import Form, bare_type, form_of
from flatwater.source.tables.shape import Column, Dialect, Shape

_TYPES = {
    "postgresql": {
        "smallint": "int16", "integer": "int32", "bigint": "int64", "real": "float32", "double precision": "float64",
        "boolean": "bool", "date": "date32", "timestamp without time zone": "timestamp",
        "timestamp with time zone": "timestamptz", "time without time zone": "time64", "bytea": "binary",
        "interval": "duration", "json": "text", "jsonb": "text", "uuid": "text", "numeric": "decimal",
        "text": "text", "character varying": "text", "character": "text", "name": "text", "citext": "text",
    },
    "mysql": {
        "tinyint": "int64", "smallint": "int64", "mediumint": "int64", "int": "int64", "integer": "int64",
        "bigint": "int64", "year": "int64", "float": "float64", "double": "float64", "decimal": "decimal",
        "date": "date32", "datetime": "timestamp", "timestamp": "timestamp", "time": "duration", "json": "text",
        "char": "text", "varchar": "text", "tinytext": "text", "text": "text", "mediumtext": "text", "longtext": "text",
        "enum": "text", "set": "text", "uuid": "text", "binary": "binary", "varbinary": "binary", "tinyblob": "binary",
        "blob": "binary", "mediumblob": "binary", "longblob": "binary",
    },
}  # fmt: skip
_AFFINITIES = (  # SQLite's own rules, in their order; what none of them says is told by the values
    ("int", "int64"), ("char", "text"), ("clob", "text"), ("text", "text"), ("blob", "binary"), ("real", "float64"),
    ("floa", "float64"), ("doub", "float64"),
)  # fmt: skip
_WIDE_ROWS = 256  # fewer rows in a batch that is full are wide ones


def arrow_form(
    shape: Shape, order: Sequence[str], dialect: Dialect, only: Sequence[str] | None
) -> tuple[Form, Batcher]:
    """Rows as tuples, and what makes a record batch of them.

    Raises:
        MissingExtra: pyarrow is not installed.
        UsageError: an unknown column.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise errors.MissingExtra("tables", "pyarrow") from error
    names = tuple(only) if only is not None else shape.names
    form = form_of(tuple, shape, order, dialect, names)
    columns = {column.name: column for column in shape.columns}
    return form, Batcher(pa, [columns[name] for name in names], dialect, shape.key)


def _affinity(declared: str) -> str:
    return next((kind for word, kind in _AFFINITIES if word in declared), "")


def _arrow_type(pyarrow: Any, declared: str, dialect: Dialect) -> Any:
    """The type of a column as declared; None where values must tell."""
    if dialect.name == "sqlite":
        kind = _affinity(declared)
    else:
        kind = _TYPES.get(dialect.name, {}).get(bare_type(declared), "")
        if kind == "int64" and declared.startswith("bigint") and "unsigned" in declared:
            kind = "uint64"
    if kind == "decimal":
        sizes = [int(word) for word in re.findall(r"-?\d+", declared)]
        if not sizes:
            return pyarrow.string()  # of any precision
        precision, scale = sizes[0], sizes[1] if len(sizes) > 1 else 0
        return pyarrow.decimal128(precision, scale) if precision <= 38 else pyarrow.decimal256(precision, scale)  # noqa: PLR2004 - its width
    made = {
        "": lambda: None,
        "text": pyarrow.string,
        "bool": pyarrow.bool_,
        "timestamp": lambda: pyarrow.timestamp("us"),
        "timestamptz": lambda: pyarrow.timestamp("us", "UTC"),
        "time64": lambda: pyarrow.time64("us"),
        "duration": lambda: pyarrow.duration("us"),
    }
    return made[kind]() if kind in made else getattr(pyarrow, kind)()


class Batcher:
    """Makes record batches of lists of tuples; what a column's type is, is settled once."""

    def __init__(self, pyarrow: Any, columns: Sequence[Column], dialect: Dialect, key: tuple[str, ...]) -> None:
        self._pyarrow = pyarrow
        self._columns = columns
        self._key = key
        self.names = tuple(column.name for column in columns)
        self.types = [_arrow_type(pyarrow, column.type, dialect) for column in columns]

    def kinds(self) -> list[Kind]:
        """What SQLite's columns hold, as far as it is settled."""
        return [self._kind(column, str(kind)) for column, kind in zip(self._columns, self.types, strict=True)]

    def _kind(self, column: Column, kind: str) -> Kind:
        # A table (a view has no key) makes text of all that goes into its text columns, and numbers its rows.
        is_number = self._key == (column.name,) and column.type == "integer"
        is_text = bool(self._key) and kind == "string" and _affinity(column.type) == "text"
        return Kind(kind, is_sure=is_number or is_text, is_nullable=column.nullable)

    def __call__(self, rows: list[Any]) -> Any:
        """The record batch of these rows, which are taken out of the list."""
        columns = list(zip(*rows, strict=True))
        rows.clear()  # the columns point to the values: each is dropped as soon as it is an array
        columns.reverse()
        arrays = [self._array(at, columns.pop()) for at in range(len(self.names))]
        return self._pyarrow.RecordBatch.from_arrays(arrays, names=list(self.names))

    def _array(self, at: int, values: Sequence[Any]) -> Any:
        pyarrow = self._pyarrow
        kind = self.types[at]
        try:
            if len(values) < _WIDE_ROWS and kind in (pyarrow.string(), pyarrow.binary()):
                return self._wide_array(list(values), kind)
            made = pyarrow.array(values, kind)
        except (
            pyarrow.ArrowInvalid,
            pyarrow.ArrowTypeError,
            pyarrow.ArrowNotImplementedError,
            OverflowError,
            TypeError,
        ) as error:
            if kind is None or pyarrow.types.is_string(kind):  # ranges, composites: as the driver writes them
                self.types[at] = kind = pyarrow.string()
                return pyarrow.array([None if value is None else _as_text(value) for value in values], kind)
            what = f"{kind}, as declared or as the first rows had it" if kind is not None else "one type"
            raise errors.BrokenError(
                f"column {self.names[at]} holds values that are not {what}: {error}.",
                hint="Cast it in a SELECT, or leave it out with columns=.",
            ) from error
        if kind is None:
            # Of a column that declares nothing and has no value yet, text is all that every later value can become.
            self.types[at] = pyarrow.string() if pyarrow.types.is_null(made.type) else made.type
            made = made if made.type == self.types[at] else made.cast(self.types[at])
        return made

    def _wide_array(self, values: list[Any], kind: Any) -> Any:
        """An array of wide values in a buffer of just its size; each value is dropped as soon as it is in there.

        An array that is made at once grows by doubling, beside all of its values.
        """
        pyarrow = self._pyarrow
        is_text = pyarrow.types.is_string(kind)
        sizes = [0 if value is None else _utf8_bytes(value) if is_text else len(value) for value in values]
        valid = pyarrow.array([value is not None for value in values]).buffers()[1] if None in values else None
        offsets = array("i", itertools.accumulate(sizes, initial=0))
        # Pages of its own: an allocator would keep them in pieces, between the values of the next batch.
        data = mmap.mmap(-1, max(offsets[-1], 1))
        view = memoryview(data)
        for at in range(len(values)):
            value, values[at] = values[at], None
            if value is not None:
                view[offsets[at] : offsets[at + 1]] = value.encode() if is_text else value
        view.release()
        return pyarrow.Array.from_buffers(
            kind, len(values), [valid, pyarrow.py_buffer(offsets), pyarrow.py_buffer(data)]
        )


def _utf8_bytes(value: Any) -> int:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} among text")
    return len(value) if value.isascii() else len(value.encode())


def _as_text(value: object) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value, default=str)
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
