"""What a database's value becomes where a class says which type it wants.

Covers:     dates and times from SQLite's text, booleans, decimals, UUIDs, enumerations, JSON.
Not here:   making the rows (`tables.forms`).
Holds:      nothing.

A value that has its type already is left alone: PostgreSQL's driver gives dates, SQLite gives text.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

import msgspec

from flatwater.source.tables.shape import Dialect

Converter = Callable[[typing.Any], object]

DATES = (datetime.fromisoformat, date.fromisoformat, time.fromisoformat)  # of SQLite's text


def plain_type(hint: object) -> tuple[object, bool]:
    """The type of a hint without Optional and Annotated, and whether None is allowed."""
    optional = False
    while True:
        origin = typing.get_origin(hint)
        if origin is typing.Annotated:
            hint = typing.get_args(hint)[0]
        elif origin is typing.Union or origin is types.UnionType:
            others = [each for each in typing.get_args(hint) if each is not type(None)]
            optional = optional or len(others) < len(typing.get_args(hint))
            if len(others) != 1:
                return object, True
            hint = others[0]
        else:
            return hint, optional


def converter(hint: object, dialect: Dialect) -> Converter | None:
    """What makes a value of the type out of what the driver gives; None where that is the type already."""
    text = dialect.dates_as_text
    native = dialect.name == "postgresql"
    if hint is bool:
        return None if native else _to_bool
    if hint is datetime:
        return datetime.fromisoformat if text else None
    if hint is date:
        return date.fromisoformat if text else None
    if hint is time:
        return time.fromisoformat if text else None
    if hint is Decimal:
        return _to_decimal if text else None
    if hint is UUID:
        return None if native else _to_uuid
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint
    if _is_document(hint):
        return _from_json(hint)
    return None


def _is_document(hint: object) -> bool:
    origin = typing.get_origin(hint) or hint
    if not isinstance(origin, type):
        return False
    if issubclass(origin, (list, dict, set, frozenset)) or (issubclass(origin, tuple) and origin is not tuple):
        return True
    return origin is tuple or dataclasses.is_dataclass(origin) or issubclass(origin, msgspec.Struct)


def _from_json(hint: typing.Any) -> Converter:
    decoder = msgspec.json.Decoder(hint)

    def convert(value: object) -> object:
        if isinstance(value, (str, bytes)):
            return decoder.decode(value)
        return msgspec.convert(value, hint)

    return convert


def _to_bool(value: object) -> bool:
    if value in (0, 1):
        return value == 1
    if isinstance(value, bytes):  # MariaDB's BIT(1)
        return any(value)
    raise ValueError(f"{value!r} is neither 0 nor 1")


def _to_decimal(value: object) -> Decimal:
    return Decimal(value) if isinstance(value, (int, str)) else Decimal(repr(value))


def _to_uuid(value: object) -> UUID:
    if isinstance(value, UUID):
        return value
    return UUID(bytes=value) if isinstance(value, bytes) and len(value) == 16 else UUID(str(value))  # noqa: PLR2004
