"""Rows as Arrow record batches, and as a dataset that the SQL engine reads while they come.

Covers:     rows to record batches of the exact types, projection, filters that the engine hands down.
Not here:   which rows (`live.reading`), the engine (`live.engine`).
Holds:      a page of rows, and the batch that is made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Protocol, final
from uuid import UUID

import msgspec
import pyarrow as pa
import pyarrow.dataset as ds

from flatwater.live.schema import FIELD_TYPE, Row, Schema

_MADE: Final[dict[bytes | None, Callable[[str], Any]]] = {b"UUID": UUID, b"JSON": msgspec.json.decode}


class Source(Protocol):
    """A table, as the engine reads it.

    Attributes:
        schema: the pyarrow.Schema of its rows.
        widest: bytes of the largest row that was read, or less than a batch's average.
    """

    schema: Any
    widest: int

    def batches(self, columns: list[str] | None) -> Iterator[Any]:
        """Record batches of these columns, from the first row on; None for all."""
        ...


@final
class RowsDataset(ds.Dataset):  # type: ignore[misc]
    """A dataset over a source. Nothing is read before it is scanned, and nothing is kept."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def schema(self) -> Any:
        """Of its rows."""
        return self._source.schema

    def scanner(self, columns: list[str] | None = None, filter: Any = None, **_given: Any) -> Any:  # noqa: A002 - Arrow's name
        """A scan of it."""
        return _Scan(self._source, columns, filter)

    def get_fragments(self, filter: Any = None) -> Iterator[Any]:  # noqa: A002, ARG002 - Arrow's names
        """It is one."""
        return iter([_Fragment(self._source)])


@final
class _Fragment(ds.Fragment):  # type: ignore[misc]
    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def physical_schema(self) -> Any:
        return self._source.schema

    @property
    def partition_expression(self) -> Any:
        return ds.scalar(True)  # noqa: FBT003 - an expression

    def scanner(self, schema: Any = None, columns: list[str] | None = None, filter: Any = None, **_given: Any) -> Any:  # noqa: A002, ARG002
        return _Scan(self._source, columns, filter)


@final
class _Scan:
    """What the engine asks of a pyarrow Scanner. Arrow's own reads hundreds of batches ahead, and goes on after the end."""

    def __init__(self, source: Source, columns: list[str] | None, condition: Any) -> None:
        self._source, self._columns, self._condition = source, columns, condition
        given = source.schema
        self.projected_schema = given if columns is None else pa.schema([given.field(name) for name in columns])

    def to_batches(self) -> Iterator[Any]:
        """Batches as they are read: one at a time."""
        columns, condition = self._columns, self._condition
        for batch in self._source.batches(columns if condition is None else None):  # a condition may be on any column
            if condition is None:
                yield batch
                continue
            found = batch.filter(condition)
            yield found if columns is None else found.select(columns)


def batches_of(pages: Iterable[Sequence[Row]], schema: Schema, columns: Sequence[str] | None) -> Iterator[Any]:
    """Pages of rows as record batches.

    Args:
        pages: rows of `schema`.
        schema: the table.
        columns: that are wanted, in this order; None for all.
    """
    names = list(schema.columns) if columns is None else list(columns)
    wanted = pa.schema([schema.columns[name].field() for name in names])
    for page in pages:
        yield _batch(page, names, wanted)


def rows_of(batch: Any) -> list[Row]:
    """Rows of a record batch, with UUIDs and JSON where its fields say so."""
    rows: list[Row] = batch.to_pylist()
    for field in batch.schema:
        make = _MADE.get((field.metadata or {}).get(FIELD_TYPE.encode()))
        if make is not None:
            for row in rows:
                row[field.name] = _made(make, row[field.name])
    return rows


def _made(make: Callable[[str], Any], text: Any) -> Any:
    try:
        return make(text) if isinstance(text, str) else text
    except (ValueError, msgspec.MsgspecError):  # another text came to it, by a UNION
        return text


def arrow_rows(rows: Sequence[Row], wanted: Any) -> Any:
    """One record batch of rows."""
    return _batch(rows, wanted.names, wanted)


def _batch(rows: Sequence[Row], names: Sequence[str], wanted: Any) -> Any:
    if not names:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * len(rows), pa.struct([])))
    arrays = []
    for name, field in zip(names, wanted, strict=True):
        values = [row[name] for row in rows]
        make = _texts_of(field, values)
        arrays.append(
            pa.array(values if make is None else [None if each is None else make(each) for each in values], field.type)
        )
    return pa.RecordBatch.from_arrays(arrays, schema=wanted)


def _texts_of(field: Any, values: Sequence[Any]) -> Callable[[Any], str] | None:
    """What makes a text of UUIDs and JSON, which are texts in Arrow; a text in JSON has its quotes."""
    if not pa.types.is_string(field.type):
        return None
    if (field.metadata or {}).get(FIELD_TYPE.encode()) == b"JSON":
        return lambda value: msgspec.json.encode(value).decode()
    if all(type(value) is str or value is None for value in values):
        return None
    return str
