from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import sys
import uuid
from typing import Annotated, Any, Literal, NewType, Optional, TypedDict

import msgspec
import pytest

from flatwater.build import BatchBuilder
from flatwater.build.checking import InvalidError
from flatwater.build.columns import arrow_schema_of, columns_of, pyarrow, record_batch
from flatwater.build.schemas import read
from flatwater.errors import MissingExtra, UsageError

pa = pytest.importorskip("pyarrow")

UserId = NewType("UserId", int)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Inner(msgspec.Struct, rename="camel"):
    some_name: str
    sizes: list[float]


class Keyed(TypedDict):
    id: int


@dataclasses.dataclass
class Everything:
    a: int
    b: float
    c: bool
    d: str
    e: bytes
    f: dt.datetime
    g: dt.date
    h: dt.time
    i: dt.timedelta
    j: decimal.Decimal
    k: uuid.UUID
    l: Colour  # noqa: E741 - letters in order
    m: Literal["x", "y"]
    n: list[int]
    o: tuple[str, ...]
    p: set[int]
    q: dict[str, int]
    r: Inner
    s: list[Inner]
    t: Keyed
    u: int | None
    v: Optional[str]  # noqa: UP045 - the older way to write it
    w: Annotated[UserId, "of the user"]
    x: Any


def one():
    now = dt.datetime(2020, 1, 2, 3, 4, 5)  # noqa: DTZ001 - a naive one is the question
    return Everything(
        1, 1.5, True, "d", b"e", now, now.date(), now.time(), dt.timedelta(1), decimal.Decimal("1.5"), uuid.UUID(int=1),
        Colour.RED, "x", [1], ("o",), {1}, {"q": 1}, Inner("r", [1.0]), [Inner("s", [])], {"id": 1}, None, None, UserId(5), "x",
    )  # fmt: skip


def batch_of(schema, *rows):
    columns = columns_of(read(schema), for_arrow=True)
    values = [[getattr(row, column.name) for row in rows] for column in columns]
    return record_batch(columns, values, arrow_schema_of(columns))


def test_every_annotation_has_a_type():
    """From annotations to Arrow, nested ones too; what may be None is nullable, and nothing else."""
    batch = batch_of(Everything, one(), one())
    types = {field.name: str(field.type) for field in batch.schema}
    assert types == {
        "a": "int64", "b": "double", "c": "bool", "d": "string", "e": "binary", "f": "timestamp[us]", "g": "date32[day]",
        "h": "time64[us]", "i": "duration[us]", "j": "decimal128(38, 9)", "k": "string", "l": "string", "m": "string",
        "n": "list<item: int64>", "o": "list<item: string>", "p": "list<item: int64>", "q": "map<string, int64>",
        "r": "struct<someName: string, sizes: list<item: double>>",
        "s": "list<item: struct<someName: string, sizes: list<item: double>>>", "t": "struct<id: int64>", "u": "int64",
        "v": "string", "w": "int64", "x": "string",
    }  # fmt: skip
    assert [field.name for field in batch.schema if field.nullable] == ["u", "v", "x"]
    row = batch.to_pylist()[0]
    assert (row["k"], row["l"], row["r"]) == (str(uuid.UUID(int=1)), "red", {"someName": "r", "sizes": [1.0]})


@pytest.mark.parametrize("hint", [int | str, complex, list, dict, tuple[int, str], object.__class__, "Node"])
def test_what_has_no_type(hint):
    """It is said when the batch builder is made, with the two ways out."""

    @dataclasses.dataclass
    class Odd:
        value: hint

    Odd.__annotations__["value"] = Node if hint == "Node" else hint
    with pytest.raises(UsageError, match=r"Arrow type|nested more than") as caught:
        columns_of(read(Odd), for_arrow=True)
    assert "arrow_schema=" in caught.value.hint
    assert 'as_="rows"' in caught.value.hint
    columns_of(read(Odd), for_arrow=False)


class Node(msgspec.Struct):
    next: Node | None = None


@dataclasses.dataclass
class Two:
    id: int
    name: str


def test_what_does_not_fit_is_named():
    """Every column with a wrong value, and its row."""
    with pytest.raises(InvalidError) as caught:
        batch_of(Two, Two(1, "a"), Two("x", "b"), Two(1 << 80, 5))
    problems = dict(caught.value.problems)
    assert problems["id"].startswith("row 1: ")
    assert problems["name"].startswith("row 2: ")


def test_none_where_it_is_not_allowed():
    """The first such row is named."""
    with pytest.raises(InvalidError, match="name: row 1 is None"):
        batch_of(Two, Two(1, "a"), Two(2, None))


def test_what_was_inferred_holds():
    """A column without a type takes the first batch's, and keeps to it."""
    columns = columns_of(read(["x"]), for_arrow=True)
    first = record_batch(columns, [[1, None]], arrow_schema_of(columns))
    assert first.schema.field("x").type == pa.int64()
    with pytest.raises(InvalidError, match="x: row 0"):
        record_batch(columns, [["text"]], first.schema)


def test_scalars_are_told():
    """Only what `sys.getsizeof` weighs right is a scalar."""
    found = {column.name: column.scalar for column in columns_of(read(Everything), for_arrow=False)}
    assert {name: kind for name, kind in found.items() if kind is not None} == {
        "a": int, "b": float, "c": bool, "d": str, "e": bytes, "u": int, "v": str, "w": int,
    }  # fmt: skip


def test_without_pyarrow(monkeypatch):
    """The extra that has it is named."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"flatwater\[tables\]"):
        pyarrow()


@dataclasses.dataclass
class Raw:
    raw: bytearray


@dataclasses.dataclass
class Outer:
    raw: bytearray
    inner: Raw
    both: list[bytearray]


def test_bytes_stay_bytes():
    """A bytearray is what is in it, alone and nested, and not a text that stands for it."""
    found = []
    with BatchBuilder(Outer, found.append) as rows:
        rows.append(raw=bytearray(b"x"), inner=Raw(bytearray(b"y")), both=[bytearray(b"z")])
    assert found[0].to_pylist() == [{"raw": b"x", "inner": {"raw": b"y"}, "both": [b"z"]}]


class Sparing(msgspec.Struct, omit_defaults=True):
    x: int = 3
    y: str | None = "q"


class Needing(msgspec.Struct):
    id: int
    note: str | None = None
    level: int = 5


class Holder(msgspec.Struct):
    one: Sparing
    many: list[Needing]
    named: dict[str, Needing]
    maybe: Needing | None = None


def held(**row):
    found = []
    rows = BatchBuilder(Holder, found.append)
    try:
        rows.append(**{"one": Sparing(), "many": [], "named": {}} | row)
        rows.flush()
    finally:
        rows.discard()
        rows.close()
    return found[0].to_pylist()[0]


def test_defaults_inside_of_values_are_there():
    """What msgspec leaves out because it is a default, and what a dict leaves out that has one, is no null in the column."""
    assert held()["one"] == {"x": 3, "y": "q"}
    assert held(one=Sparing(4))["one"] == {"x": 4, "y": "q"}
    full = {"id": 1, "note": None, "level": 5}
    row = held(many=[{"id": 1}, Needing(1)], named={"k": {"id": 1}})
    assert (row["many"], row["named"], row["maybe"]) == ([full, full], [("k", full)], None)


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ({"many": [Needing(1), {"note": "x"}]}, "[1].id"),
        ({"many": [Needing(None)]}, "[0].id"),
        ({"named": {"k": {}}}, "['k'].id"),
        ({"maybe": {"idd": 1}}, "id"),
    ],
)
def test_what_must_be_inside_of_a_value_is_asked_for(row, place):
    """A nested dict without what it must have is refused, with the row and the place, and does not become null."""
    with pytest.raises(InvalidError) as caught:
        held(**row)
    ((column, reason),) = caught.value.problems
    assert column in row
    assert f"row 0: {place} is not there" in reason


def test_a_struct_that_is_written_as_a_list():
    """It has no names in Arrow, which is said at once, and not when the first batch goes."""

    class Listed(msgspec.Struct, array_like=True):
        id: int

    class Row(msgspec.Struct):
        one: Any

    Row.__annotations__["one"] = Listed
    with pytest.raises(UsageError, match="array_like"):
        columns_of(read(Row), for_arrow=True)
