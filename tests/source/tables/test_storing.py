"""Values on their way into a database: what a driver takes stays as it is, all else becomes that or is refused."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import sqlite3
import uuid
from decimal import Decimal

import msgspec
import numpy as np
import pydantic
import pytest

import flatwater as fw
from flatwater.source.tables.storing import storing

UTC = dt.UTC
UID = uuid.UUID(int=5)


class Mood(enum.Enum):
    good = "g"


class Level(enum.IntEnum):
    low = 1


class Word(str):
    __slots__ = ()

    def __str__(self):
        return "another"


@dataclasses.dataclass
class Point:
    x: int
    at: dt.date


class Struct(msgspec.Struct):
    a: int


class Model(pydantic.BaseModel):
    b: int


def test_plain_rows_are_left_alone():
    """A row whose values the driver takes is the same object."""
    for dialect in ("sqlite", "mysql", "postgresql"):
        row = (1, 2.5, "x", b"y", None, True)
        assert storing(dialect, [""] * 6)(row) is row


@pytest.mark.parametrize(
    ("value", "sqlite", "mysql", "postgresql"),
    [
        (dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), "2024-01-02 03:04:05+00:00", dt.datetime(2024, 1, 2, 3, 4, 5), ...),  # noqa: DTZ001 - as the database has it
        (dt.datetime(2024, 1, 2), "2024-01-02 00:00:00", ..., ...),  # noqa: DTZ001 - as above
        (dt.date(2024, 1, 2), "2024-01-02", ..., ...),
        (dt.time(3, 4), "03:04:00", ..., ...),
        (Decimal("1.50"), "1.50", ..., ...),
        (UID, str(UID), str(UID), ...),
        (Mood.good, "g", "g", "g"),
        (Level.low, 1, 1, 1),
        (Word("w"), "w", "w", "w"),
        (bytearray(b"b"), b"b", b"b", b"b"),
        (memoryview(b"b"), b"b", b"b", b"b"),
        (np.int64(5), 5, 5, 5),
        (np.float32(0.5), 0.5, 0.5, 0.5),
        ({"a": [1, UID]}, f'{{"a":[1,"{UID}"]}}', f'{{"a":[1,"{UID}"]}}', f'{{"a":[1,"{UID}"]}}'),
        ([1, "x"], '[1,"x"]', '[1,"x"]', '[1,"x"]'),
        (Point(1, dt.date(2024, 1, 2)), '{"x":1,"at":"2024-01-02"}', '{"x":1,"at":"2024-01-02"}', '{"x":1,"at":"2024-01-02"}'),
        ({"s": Struct(1), "m": Model(b=2)}, '{"s":{"a":1},"m":{"b":2}}', '{"s":{"a":1},"m":{"b":2}}', '{"s":{"a":1},"m":{"b":2}}'),
    ],
)  # fmt: skip
def test_values(value, sqlite, mysql, postgresql):
    """Each value becomes what the database's driver takes, of the very type that it goes by."""
    for dialect, expected in (("sqlite", sqlite), ("mysql", mysql), ("postgresql", postgresql)):
        (made,) = storing(dialect, ["text"])((value,))
        wanted = value if expected is ... else expected
        assert (made, type(made)) == (wanted, type(wanted)), dialect


def test_json_and_arrays_of_postgresql():
    """Text for a column of json is JSON already; all else is written as JSON, and a list for an array is an array."""
    ready = storing("postgresql", ["jsonb", "json", "integer[]", "jsonb"])
    assert ready(('{"a": 1}', 5, [Level.low, 2], None)) == ('{"a": 1}', "5", [1, 2], None)
    assert ready((True, [1], None, {"b": None})) == ("true", "[1]", None, '{"b":null}')


def test_what_is_refused():
    """A zone that MariaDB would drop, and objects that PyMySQL would write as their names, are refused."""
    ready = storing("mysql", [""])
    east = dt.timezone(dt.timedelta(hours=2))
    with pytest.raises(ValueError, match="has a time zone"):
        ready((dt.datetime(2024, 1, 2, tzinfo=east),))
    with pytest.raises(TypeError, match="object is no value"):
        ready((object(),))
    with pytest.raises(TypeError, match="complex cannot be written as JSON"):
        storing("sqlite", [""])(({"a": 1j},))


@dataclasses.dataclass
class Whole:
    id: int
    at: dt.datetime
    cost: Decimal
    mood: Mood
    uid: uuid.UUID
    tags: list[str]


def test_what_is_written_is_read_back(tmp_path):
    """A dataclass with dates, decimals, an enumeration and a document comes back as it was, through SQLite."""
    path = str(tmp_path / "a.db")
    columns = "id INTEGER PRIMARY KEY, at TEXT, cost TEXT, mood TEXT, uid TEXT, tags TEXT"
    sqlite3.connect(path).execute(f"CREATE TABLE t ({columns})")
    row = Whole(1, dt.datetime(2024, 1, 2, 3, tzinfo=UTC), Decimal("1.10"), Mood.good, UID, ["a", "b"])
    table = fw.Table(path, "t")
    table.create_many([row])
    assert list(table.find_each(as_=Whole)) == [row]
