"""Functions of a row that are made of others, with NULL as SQL has it.

Covers:     AND, OR, comparisons of what can be compared, NULL in place of what cannot be computed.
Not here:   which nodes of a statement they are for (`live.expressions`), operators on values (`live.operators`).
Holds:      nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from flatwater import errors
from flatwater.live.intervals import Months, midnight
from flatwater.live.operators import NUMBERS, alike
from flatwater.live.types import Type

Values = Sequence[Any]
Function = Callable[[Mapping[str, Any], Values], Any]

_FAILS: Final = (
    TypeError,
    ValueError,
    ArithmeticError,
    KeyError,
    IndexError,
    AttributeError,
    RecursionError,
    errors.UsageError,
)
FAMILIES: Final[dict[type, str]] = {
    bool: "BOOLEAN", int: "number", float: "number", Decimal: "number", str: "TEXT", bytes: "BYTES", datetime: "TIMESTAMP",
    date: "DATE", UUID: "UUID", timedelta: "INTERVAL", Months: "INTERVAL",
}  # fmt: skip
TIMES: Final = {"DATE", "TIMESTAMP"}


def of_column(name: str, at: int, compare: Callable[[Any, Any], bool]) -> Function:
    """A column compared with a value of its type."""

    def asked(row: Mapping[str, Any], values: Values) -> bool | None:
        found, wanted = row[name], values[at]
        if found is None or wanted is None:
            return None
        try:
            return compare(found, wanted)
        except _FAILS:
            return None

    return asked


def compared(first: Function, second: Function, compare: Callable[[Any, Any], bool]) -> Function:
    """Two values that are computed, compared where they are of a kind."""

    def asked(row: Mapping[str, Any], values: Values) -> bool | None:
        found, wanted = first(row, values), second(row, values)
        if found is None or wanted is None:
            return None
        one, other = FAMILIES.get(type(found)), FAMILIES.get(type(wanted))
        if one != other:
            if not is_alike(one, other):
                return None
            found, wanted = midnight(found), midnight(wanted)
        elif type(found) is not type(wanted) and one == "number":
            found, wanted = alike(found, wanted)
        return compare(found, wanted)

    return safe(asked)


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal; a decimal beside a float is one, too."""
    if FAMILIES.get(type(one)) == FAMILIES.get(type(other)) == "number":
        one, other = alike(one, other)
    return bool(one == other)


def is_alike(one: str | None, other: str | None) -> bool:
    """Whether values of two families can be compared: a date is the midnight that it begins with."""
    return one == other or (one in TIMES and other in TIMES)


def family_named(kind: Type) -> str:
    """What values of a type are called together: all numbers are one kind."""
    return "number" if kind.name in NUMBERS else kind.name


def safe(function: Function) -> Function:
    """NULL in place of what cannot be computed."""

    def computed(row: Mapping[str, Any], values: Values) -> Any:
        try:
            return function(row, values)
        except _FAILS:
            return None

    return computed


def all_of(parts: Sequence[Function]) -> Function:
    """AND."""

    def asked(row: Mapping[str, Any], values: Values) -> bool | None:
        result: bool | None = True
        for part in parts:
            found = part(row, values)
            if found is False:
                return False
            if found is None:
                result = None
        return result

    return asked


def any_of(parts: Sequence[Function]) -> Function:
    """OR."""

    def asked(row: Mapping[str, Any], values: Values) -> bool | None:
        result: bool | None = False
        for part in parts:
            found = part(row, values)
            if found is True:
                return True
            if found is None:
                result = None
        return result

    return asked
