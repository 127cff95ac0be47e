"""What a driver's value becomes where a class says which type it wants."""

from __future__ import annotations

import dataclasses
import enum
import typing
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Optional, Union
from uuid import UUID

import msgspec
import pytest

from flatwater.source.tables.convert import converter, plain_type
from flatwater.source.tables.shape import MYSQL, POSTGRESQL, SQLITE

UID = "12345678-1234-5678-1234-567812345678"


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Point:
    x: int


class Spot(msgspec.Struct):
    x: int


class Typed(typing.TypedDict):
    x: int


@pytest.mark.parametrize(
    ("hint", "plain"),
    [
        (int, (int, False)),
        (Optional[int], (int, True)),  # noqa: UP045 - as older code writes it
        (int | None, (int, True)),
        (Annotated[int, "meta"], (int, False)),
        (Annotated[int | None, "meta"], (int, True)),
        (Optional[Annotated[date, 1]], (date, True)),  # noqa: UP045 - as older code writes it
        (Union[int, str], (object, True)),  # noqa: UP007 - as older code writes it
        (Any, (Any, False)),
        (None, (None, False)),
        ("int", ("int", False)),
        (list[int], (list[int], False)),
    ],
)
def test_the_type_in_a_hint(hint, plain):
    """Optional and Annotated are taken off; of several types none is chosen."""
    assert plain_type(hint) == plain


@pytest.mark.parametrize(
    ("hint", "given", "made"),
    [
        (datetime, "2020-01-02 03:04:05", datetime(2020, 1, 2, 3, 4, 5)),  # noqa: DTZ001 - as SQLite has it
        (date, "2020-01-02", date(2020, 1, 2)),
        (time, "03:04", time(3, 4)),
        (bool, 1, True),
        (bool, 0, False),
        (Decimal, "1.10", Decimal("1.10")),
        (Decimal, 1.1, Decimal("1.1")),
        (Decimal, 5, Decimal(5)),
        (UUID, UID, UUID(UID)),
        (UUID, UUID(UID).bytes, UUID(UID)),
        (Color, "red", Color.RED),
        (Level, 1, Level.LOW),
        (list[int], "[1, 2]", [1, 2]),
        (dict[str, int], b'{"a": 1}', {"a": 1}),
        (tuple[int, ...], "[1]", (1,)),
        (set[str], '["a"]', {"a"}),
        (Point, '{"x": 1}', Point(1)),
        (Spot, '{"x": 1}', Spot(1)),
        (Typed, '{"x": 1}', {"x": 1}),
    ],
)
def test_text_of_sqlite_becomes_the_type(hint, given, made):
    """Dates, booleans, decimals, UUIDs, enumerations and JSON come out of SQLite's numbers and text."""
    by = converter(hint, SQLITE)
    assert by is not None
    assert by(given) == made
    assert type(by(given)) is type(made)


@pytest.mark.parametrize("hint", [int, str, float, bytes, object, Any, None, "int", typing.NewType("Id", int), type])
def test_other_types_are_left_alone(hint):
    """Where there is nothing to convert, nothing is called for a value."""
    assert all(converter(hint, dialect) is None for dialect in (SQLITE, POSTGRESQL, MYSQL))


def test_what_a_driver_gives_already_is_not_converted():
    """PostgreSQL's driver gives all types itself, MariaDB's gives dates."""
    assert all(converter(hint, POSTGRESQL) is None for hint in (datetime, date, time, bool, Decimal, UUID))
    assert all(converter(hint, MYSQL) is None for hint in (datetime, date, time, Decimal))
    assert converter(bool, MYSQL)(b"\x01") is True
    assert converter(list[int], POSTGRESQL)([1, 2]) == [1, 2]


@pytest.mark.parametrize(
    ("hint", "given"),
    [(bool, 2), (bool, "yes"), (date, "2020-13-01"), (Decimal, "x"), (UUID, "x"), (UUID, b"x"), (Color, "blue"), (list[int], "[1"),
     (list[int], '["a"]'), (datetime, 5)],
)  # fmt: skip
def test_a_wrong_value_is_an_error_that_is_blamed(hint, given):
    """What is no value of the type raises an error that a row is refused with."""
    from flatwater.source.tables.forms import _BLAMED

    with pytest.raises(_BLAMED):
        converter(hint, SQLITE)(given)
