"""What Arrow would leave out of a value in silence when it is put into a column of another type.

Covers:     fractions in columns of whole numbers, times of day in columns of dates, fields that a struct does not have, None where
            there has to be a value; inside of lists, maps and structs, too.
Not here:   what Arrow refuses itself; a precision that somebody's own schema asked for.
Holds:      the values of one column of one batch.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_WHOLE = frozenset({int, type(None)})


def losses_of(rows: Sequence[dict[str, Any]], columns: pa.RecordBatch) -> str:
    """What is in `rows` and not in `columns`, which were made of them; "" if all is there."""
    for field, column in zip(columns.schema, columns.columns, strict=True):
        if not field.nullable and column.null_count:
            return f"{field.name}: there is no value, and the schema wants one"
        if _may_lose(field.type) and (lost := _lost(field.type, [row.get(field.name) for row in rows])):
            return f"{field.name}: {lost}"
    return ""


def _may_lose(kind: pa.DataType) -> bool:
    from pyarrow import types

    if types.is_nested(kind):
        return types.is_struct(kind) or any(_may_lose(kind.field(at).type) for at in range(kind.num_fields))
    return bool(types.is_integer(kind) or types.is_date(kind))


def _lost(kind: pa.DataType, values: Iterable[Any]) -> str:
    from pyarrow import types

    there = [value for value in values if value is not None]
    if types.is_integer(kind):
        found = [] if set(map(type, there)) <= _WHOLE else [value for value in there if value % 1]
        return f"{found[0]!r:.60} in a column of {kind}" if found else ""
    if types.is_date(kind):
        found = [value for value in there if isinstance(value, dt.datetime) and value.time() != dt.time()]
        return f"{found[0]!r:.60} in a column of {kind}" if found else ""
    if types.is_struct(kind):
        return _lost_of_structs(kind, [value for value in there if isinstance(value, dict)])
    if types.is_map(kind):
        pairs = [pair for value in there for pair in (value.items() if isinstance(value, dict) else value)]
        return _lost(kind.key_type, (key for key, _value in pairs)) or _lost(
            kind.item_type, (each for _, each in pairs)
        )
    return _lost(kind.value_type, chain.from_iterable(there)) if _may_lose(kind) else ""


def _lost_of_structs(kind: pa.StructType, there: Sequence[dict[str, Any]]) -> str:
    names = {kind.field(at).name for at in range(kind.num_fields)}
    for value in there:
        if not value.keys() <= names:
            return f"no field for {', '.join(sorted(map(str, value.keys() - names)))}"
    lost = ((name, _lost(kind.field(name).type, (value.get(name) for value in there))) for name in sorted(names))
    return next((f"{name}: {said}" for name, said in lost if said), "")
