"""A value of Python's as a database's driver takes it: the way back of `tables.convert`.

Covers:     dates and decimals as SQLite's text, enumerations by their value, JSON, numbers of numpy, subclasses of plain types.
Not here:   types of an ORM (`tables.adapters`), which column a value is for (`tables.given`).
Holds:      nothing.

A row whose values are all of types that the driver takes is left as it is, and that is asked in C for a whole row.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

Values = tuple[Any, ...]

_PLAIN = frozenset((int, float, str, bytes, bool, type(None)))
_NATIVE = {
    "sqlite": _PLAIN,
    "mysql": _PLAIN | {date, time, timedelta, Decimal},
    "postgresql": _PLAIN | {datetime, date, time, timedelta, Decimal, UUID},
}
_SUBCLASSED: tuple[Any, ...] = (int, float, str, bytes, bytearray, memoryview)
_JSON_TYPES = ("json", "jsonb")  # PostgreSQL's; elsewhere JSON is text


def storing(dialect: str, types: Sequence[str]) -> Callable[[Values], Values]:
    """What makes a row of values ready for a driver.

    Args:
        dialect: "sqlite", "postgresql" or "mysql".
        types: of the columns, as the database says them; a column of PostgreSQL's json takes text as JSON, and anything
            else as what JSON is made of.
    """
    native = _NATIVE[dialect]
    documents = [at for at, kind in enumerate(types) if dialect == "postgresql" and kind in _JSON_TYPES]
    arrays = [at for at, kind in enumerate(types) if dialect == "postgresql" and kind.endswith("[]")]

    def ready(values: Values) -> Values:
        if native.issuperset(map(type, values)) and not documents:
            return values
        made = [value if type(value) in native else _stored(value, dialect) for value in values]
        for at in arrays:
            if isinstance(values[at], (list, tuple)):  # an array of the database's, and no document
                made[at] = [_stored(each, dialect) if type(each) not in native else each for each in values[at]]
        for at in documents:
            if not isinstance(values[at], (str, type(None))):
                made[at] = _json(values[at])
        return tuple(made)

    return ready


def _stored(value: Any, dialect: str) -> Any:
    """One value that is not of a type that the driver is known to take; others than these the driver is asked about."""
    if isinstance(value, enum.Enum):
        return _stored_plain(value.value, dialect)
    if isinstance(value, (date, time)):  # a datetime is a date
        return _date(value, dialect)
    if isinstance(value, (Decimal, UUID)):
        return value if dialect == "postgresql" or type(value) in _NATIVE[dialect] else str(value)
    for kind in _SUBCLASSED:  # PyMySQL goes by the very type
        if isinstance(value, kind):
            return str.__str__(value) if kind is str else (kind if kind in (int, float) else bytes)(value)
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        return _stored_plain(value.item(), dialect)
    if _is_document(value):
        return _json(value)
    if dialect == "mysql":  # PyMySQL would write what str() makes of it
        raise TypeError(f"{type(value).__name__} is no value that the database takes")
    return value


def _date(value: date | time, dialect: str) -> Any:
    if dialect == "sqlite":
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return _without_zone(value) if dialect == "mysql" and isinstance(value, datetime) else value


def _stored_plain(value: Any, dialect: str) -> Any:
    return value if type(value) in _NATIVE[dialect] else _stored(value, dialect)


def _without_zone(value: datetime) -> datetime:
    """MariaDB's DATETIME has no zone, and PyMySQL would leave it out in silence.

    Raises:
        ValueError: the zone is another one than UTC.
    """
    if value.utcoffset() not in (None, timedelta(0)):
        raise ValueError(f"{value} has a time zone, which the database does not keep: give it in UTC, or without one")
    return value.replace(tzinfo=None)


def _is_document(value: object) -> bool:
    if isinstance(value, (Mapping, list, tuple, set, frozenset, msgspec.Struct)):
        return True
    return (dataclasses.is_dataclass(value) and not isinstance(value, type)) or hasattr(type(value), "model_dump")


def _json(value: Any) -> str:
    """JSON text.

    Raises:
        TypeError: it cannot be written as JSON.
    """
    return msgspec.json.encode(value, enc_hook=_unknown).decode()


def _unknown(value: Any) -> Any:
    if hasattr(type(value), "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
