"""Rows of every kind as tuples: dicts, dataclasses, Structs, named tuples, models, tuples; columns that are lacking."""

from __future__ import annotations

import collections
import dataclasses
import sqlite3
import types
from typing import NamedTuple, TypedDict

import msgspec
import pydantic
import pytest

from flatwater import errors, limits
from flatwater.source.tables.given import Fillable, Given, Prepared

COLUMNS = (Fillable("id", is_needed=False), Fillable("name", is_needed=True), Fillable("cents", is_needed=False))


def given(columns=COLUMNS, key=()):
    return Given("items", columns, key, lambda names: Prepared(names, lambda values: values))


@dataclasses.dataclass
class Data:
    name: str
    id: int


@dataclasses.dataclass(slots=True)
class Slotted:
    id: int
    name: str
    cents: int


class Struct(msgspec.Struct):
    name: str
    id: int = 1
    cents: int | msgspec.UnsetType = msgspec.UNSET


class Named(NamedTuple):
    cents: int
    name: str


class Model(pydantic.BaseModel):
    name: str
    id: int = 1


class Open(pydantic.BaseModel):
    model_config = {"extra": "allow"}
    name: str


class Typed(TypedDict):
    name: str


class Plain:
    id: int
    name: str

    def __init__(self, id, name):  # noqa: A002 - the column's name
        self.id, self.name = id, name


def stored_row():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    return connection.execute("SELECT 1 AS id, 'n' AS name").fetchone()


@pytest.mark.parametrize(
    ("row", "names", "values"),
    [
        ({"name": "n", "id": 1}, ("id", "name"), (1, "n")),
        ({"name": "n"}, ("name",), ("n",)),
        (Typed(name="n"), ("name",), ("n",)),
        (collections.OrderedDict(name="n", id=1), ("id", "name"), (1, "n")),
        (collections.defaultdict(int, name="n", id=1), ("id", "name"), (1, "n")),
        (types.MappingProxyType({"name": "n"}), ("name",), ("n",)),
        (stored_row(), ("id", "name"), (1, "n")),
        (Data("n", 1), ("id", "name"), (1, "n")),
        (Slotted(1, "n", 2), ("id", "name", "cents"), (1, "n", 2)),
        (Struct("n"), ("id", "name"), (1, "n")),
        (Struct("n", 1, 2), ("id", "name", "cents"), (1, "n", 2)),
        (Named(2, "n"), ("name", "cents"), ("n", 2)),
        (Model(name="n"), ("id", "name"), (1, "n")),
        (Open(name="n"), ("name",), ("n",)),
        (Open(name="n", cents=2), ("name", "cents"), ("n", 2)),
        (Plain(1, "n"), ("id", "name"), (1, "n")),
        ((1, "n", 2), ("id", "name", "cents"), (1, "n", 2)),
        ([1, "n", 2], ("id", "name", "cents"), (1, "n", 2)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_kind_of_row(row, names, values):
    """Each kind of row gives the same columns and values, in the table's order, however often it comes."""
    taker = given()
    for _ in range(2):
        plan, found = taker.take(row)
        assert (plan.names, found) == (names, values)
    assert taker.take({"name": "other"})[1] == ("other",)
    assert taker.take(row)[1] == values


def test_the_same_columns_are_one_plan():
    """Rows of the same columns share a plan, whatever kind they are and whatever order they have."""
    taker = given()
    rows = ({"id": 1, "name": "n"}, {"name": "n", "id": 1}, Data("n", 1), Model(name="n"))
    assert len({id(taker.take(row)[0]) for row in rows}) == 1


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"id": 1}, "items: the row lacks name.*It has id"),
        ({}, "items: the row lacks name"),
        ({"name": "n", "nam": 1}, "items: there is no column 'nam'.*Did you mean 'name'"),
        ({"name": "n", 5: 1}, "there is no column 5"),
        ((1, "n"), "the row has 2 values, and the table 3 columns.*id, name, cents"),
        (5, "int is no row.*dicts, dataclasses"),
        ("name", "str is no row"),
        (None, "NoneType is no row"),
        (object(), "object is no row"),
    ],
)
def test_what_is_no_row_of_the_table(row, words):
    """A row that lacks a column, has a strange one, or is none, is refused, and the columns are named."""
    with pytest.raises(errors.UsageError, match=words):
        given().take(row)


def test_a_key_is_needed():
    """Columns of the key are needed where rows may be there already."""
    with pytest.raises(errors.UsageError, match="lacks id"):
        given(key=("id",)).take({"name": "n"})


def test_a_row_of_no_column():
    """A row without columns is refused even where nothing is needed."""
    with pytest.raises(errors.UsageError, match="has no columns"):
        given((Fillable("id", is_needed=False),)).take({})


def test_what_is_known_stays_bounded():
    """However many sets of columns and classes there are, some of them are known at a time."""
    columns = tuple(Fillable(f"c{at}", is_needed=False) for at in range(200))
    taker = given(columns)
    for at in range(200):
        cls = dataclasses.make_dataclass("Made", [f"c{at}"])
        assert taker.take(cls(at))[1] == (at,)
        assert taker.take({f"c{at}": 1, "c0": 2})[1]
    assert len(taker._plans) <= limits.TABLE_QUERIES_KEPT
    assert len(taker._takers) <= limits.TABLE_QUERIES_KEPT
