"""Rows as JSON."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from flatwater import errors
from flatwater.live.schema import USER, Column, Schema
from flatwater.live.types import Type

ROW = {
    "from": 1, "t": "é\n", "b": b"\xff\x00", "d": date(2026, 1, 2), "at": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), "u": UUID(int=7), "x": Decimal("1.50"), "j": {"a": [1, None]}, "f": 0.1, "o": None,
}  # fmt: skip
KINDS = ["BIGINT", "TEXT", "BYTES", "DATE", "TIMESTAMP", "UUID", "DECIMAL", "JSON", "DOUBLE", "BOOLEAN"]
COLUMNS = [
    Column(name, Type(kind, *((10, 2) if kind == "DECIMAL" else ()))) for name, kind in zip(ROW, KINDS, strict=True)
]
SCHEMA = Schema(3, "chat", "m", USER, COLUMNS, ["from"])


def test_a_row_comes_back():
    """All types survive JSON, NULL as well, under names that Python has for itself."""
    assert SCHEMA.decode(SCHEMA.encode(ROW)) == ROW
    assert list(SCHEMA.decode(SCHEMA.encode(ROW))) == list(ROW)


def test_columns_that_came_later():
    """A row without them has their defaults, in the order of the columns."""
    later = Schema(
        3, "chat", "m", USER, [*COLUMNS, Column("n", Type("INT"), default=5), Column("z", Type("TEXT"))], ["from"]
    )
    assert later.decode(SCHEMA.encode(ROW)) == ROW | {"n": 5, "z": None}


@pytest.mark.parametrize("stored", [b"", b"[]", b'{"from": "x"}', b"\xff", b'{"from": 1'])
def test_what_is_no_row(stored):
    """Damage is told with the table's name."""
    with pytest.raises(errors.CorruptError, match=r"chat\.m"):
        SCHEMA.decode(stored)


def test_what_it_says_of_itself():
    """Name, key, whose rows, and types for Arrow."""
    assert (SCHEMA.full_name, SCHEMA.key_of(ROW), SCHEMA.is_personal) == ("chat.m", (1,), True)
    assert SCHEMA.arrow().names == list(ROW)
