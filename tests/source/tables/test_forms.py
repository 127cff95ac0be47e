"""What a row becomes: hostile classes, wrong values, and the bytes that are charged for it."""

from __future__ import annotations

import dataclasses
import enum
import sqlite3
import typing
from dataclasses import InitVar, dataclass, field
from datetime import date
from typing import Annotated, ClassVar, Generic, NamedTuple, TypedDict, TypeVar

import msgspec
import pydantic
import pytest

from flatwater import errors
from flatwater.source.tables.forms import BASE_BYTES, RowRefused, _read, form_of, single_form
from flatwater.source.tables.shape import SQLITE, Column, Shape
from flatwater.source.tables.table import Table

T = TypeVar("T")
HOSTILE = [
    "class",
    "def",
    "None",
    "v0",
    "row",
    "out",
    "o",
    "cls",
    "new",
    "used",
    "blame",
    "collect",
    "make",
    "self",
    "_a",
]


def table_of(columns, *rows):
    """A table of these columns and rows; the key is `id`."""
    connection = sqlite3.connect(":memory:")
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
    connection.execute(f"CREATE TABLE t (id INTEGER PRIMARY KEY{', ' if columns else ''}{quoted})")
    for row in rows:
        connection.execute(f"INSERT INTO t VALUES ({', '.join('?' * len(row))})", row)
    connection.commit()
    return Table(connection, "t", secret="a secret of the tests")


def only(table, as_):
    (row,) = table.find_each(as_=as_)
    return row


@pytest.mark.parametrize("name", [*HOSTILE, "ä", "x" * 300])
@pytest.mark.parametrize("kind", ["plain", "kw_only", "slots", "frozen"])
def test_field_names_are_only_names(name, kind):
    """A field named as a keyword, or as a name in the generated code, gets its own column's value."""
    table = table_of([name, "z"], (1, "value", "other"))
    options = {} if kind == "plain" else {kind: True}
    if name in ("class", "def", "None"):
        plain = type("Plain", (), {"__annotations__": {name: str, "z": str}})
        with pytest.raises(TypeError):
            dataclasses.make_dataclass("Row", [(name, str)])
        try:
            row = only(table, plain)
        except errors.FlatwaterError:
            return  # refused, and no code run
        assert (getattr(row, name), row.z) == ("value", "other")
        return
    made = dataclasses.make_dataclass("Row", [(name, str), ("z", str)], **options)
    row = only(table, made)
    assert (getattr(row, name), row.z) == ("value", "other")


@pytest.mark.parametrize(
    "name", ["x = 1; raise SystemExit", 'x"]; raise SystemExit #', "a\nraise SystemExit", "{v0}", "%s", "a.b"]
)
def test_no_name_becomes_code(name):
    """A column or an annotation whose name is a program is a name."""
    table = table_of([name], (1, "value"))
    assert only(table, dict) == {"id": 1, name: "value"}
    assert list(table.pluck(name)) == ["value"]
    assert only(table, TypedDict("Typed", {name: str})) == {name: "value"}
    plain = type("Plain", (), {"__annotations__": {name: str}})
    try:
        row = only(table, plain)
    except errors.FlatwaterError:
        return
    assert getattr(row, name) == "value"


def test_dataclasses_of_all_kinds():
    """Inherited, generic, with defaults and factories, frozen, with slots, keyword-only fields: each is made as by its __init__."""

    @dataclass
    class Base:
        id: int
        a: str = "default"

    @dataclass(slots=True)
    class Child(Base):
        tags: list = field(default_factory=list)
        b: int = field(default=5, kw_only=True)
        counter: ClassVar[int] = 9
        made: int = field(default=3, init=False)

    @dataclass(frozen=True, order=True)
    class Box(Generic[T]):
        id: int
        a: T

    table = table_of(["a", "b"], (1, "x", 7))
    assert only(table, Child) == Child(1, "x", b=7)
    assert only(table, Child).made == 3
    one, two = (only(table, Child) for _ in range(2))
    assert one.tags is not two.tags
    assert only(table, Box) == Box(1, "x")
    assert hash(only(table, Box)) == hash(Box(1, "x"))
    assert only(table_of([], (1,)), Base) == Base(1)


def test_what_a_class_does_itself_is_done():
    """__post_init__, an own __init__, an own __setattr__, a property: none of them is gone around."""

    @dataclass
    class Post:
        id: int

        def __post_init__(self):
            self.double = self.id * 2

    class Own:
        def __init__(self, id, a="none", *rest, **more):  # noqa: A002 - the column has this name
            self.seen = (id, a, rest, more)

    @dataclass
    class Watched:
        id: int

        def __setattr__(self, name, value):
            object.__setattr__(self, name, value * 10)

    table = table_of(["a"], (4, "x"))
    assert only(table, Post).double == 8
    assert only(table, Own).seen == (4, "x", (), {})
    assert only(table, Watched).id == 40


def test_structs_tuples_dicts_and_models():
    """msgspec, NamedTuple, TypedDict and pydantic in their variants."""

    class Frozen(msgspec.Struct, frozen=True, tag=True, rename="camel"):
        id: int
        first_name: str
        extra: int = 4

    class Half(msgspec.Struct):
        id: int
        nowhere: list = msgspec.field(default_factory=list)

    class Named(NamedTuple):
        id: int
        nowhere: int = 3

    class Total(TypedDict, total=False):
        first_name: str
        nowhere: int

    class Model(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(frozen=True, extra="forbid")
        id: int
        first_name: Annotated[str, pydantic.Field(min_length=2)]

    @pydantic.dataclasses.dataclass
    class Checked:
        id: int
        first_name: str

    table = table_of(["first_name"], (1, "Ann"))
    assert only(table, Frozen) == Frozen(1, "Ann")
    assert only(table, Half).nowhere == []
    assert only(table, Named) == Named(1)
    assert only(table, Total) == {"first_name": "Ann"}
    assert only(table, Model) == Model(id=1, first_name="Ann")
    assert only(table, Checked) == Checked(1, "Ann")


class Color(enum.Enum):
    RED = "red"


@dataclass
class Typed:
    day: date | None
    id: int
    color: Color = Color.RED


def test_hints_that_are_text_are_found():
    """Hints of a module with postponed annotations are types all the same, and NULL stays None."""
    table = table_of(["day", "color"], (1, "2020-01-02", "red"), (2, None, None))
    rows = list(table.find_each(as_=Typed))
    assert rows == [Typed(date(2020, 1, 2), 1, Color.RED), Typed(None, 2, None)]


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [("day", "no day", "day: 'no day' is refused"), ("color", "blue", "color: 'blue' is refused"),
     ("day", "x" * 100, "day: 'xxx")],
)  # fmt: skip
def test_a_wrong_value_names_key_column_and_value(column, value, words):
    """The row's key, the column and the value are said, a long one cut; the rows before it are not lost."""
    row = {"id": 77, "day": "2020-01-01", "color": "red", column: value}
    table = table_of(["day", "color"], (5, "2020-01-01", "red"), tuple(row.values()))
    rows = table.find_each(as_=Typed, batch_rows=1)
    assert next(rows).id == 5
    with pytest.raises(RowRefused, match="row id=77") as caught:
        next(rows)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 400
    assert next(table.find_each(after=rows.token))["id"] == 77


def test_what_a_class_refuses_is_said():
    """A class that raises for a row is a RowRefused with the key."""

    class Model(pydantic.BaseModel):
        id: int
        a: int

    @dataclass
    class Post:
        id: int

        def __post_init__(self):
            raise ValueError("never")

    table = table_of(["a"], (3, "no number"))
    for cls, words in ((Model, "id=3.*"), (Post, "id=3 is refused: never")):
        with pytest.raises(RowRefused, match=words):
            only(table, cls)


@pytest.mark.parametrize(
    "as_", [int, str, list, 5, "rows", None, object(), object, Generic, typing.Any, print, [dict], enum.Enum]
)
def test_what_is_no_form_is_refused(as_):
    """Anything that has no fields is refused, with what there is."""
    with pytest.raises(errors.UsageError):
        table_of(["a"], (1, 2)).find_each(as_=as_)


def test_columns_that_are_wanted_twice_or_not_at_all():
    """No columns give empty rows, one twice gives it twice, a thousand give a thousand."""
    table = table_of(["a"], (1, 2), (2, 3))
    assert list(table.find_each(columns=[], as_=tuple, batch_rows=1)) == [(), ()]
    assert list(table.find_each(columns=[])) == [{}, {}]
    assert list(table.find_each(columns=["a", "a"], as_=tuple)) == [(2, 2), (3, 3)]
    wide = table_of([f"c{at}" for at in range(1_000)], tuple(range(1_001)))
    assert only(wide, tuple) == tuple(range(1_001))


def test_a_class_says_what_is_required():
    """What has a default is not required; class variables and what is not given to __init__ are no fields."""

    @dataclass
    class Data:
        a: int
        b: int = 1
        c: ClassVar[int] = 2
        d: int = field(init=False, default=3)
        e: int = field(kw_only=True)

    assert [(each.name, each.required, each.keyword_only) for each in _read(Data)[1]] == [
        ("a", True, False), ("b", False, False), ("e", True, True),
    ]  # fmt: skip


def charge(values, declared="text"):
    """The bytes that a tuple row of such values is charged, once one was seen."""
    shape = Shape(
        (
            Column("id", "integer", nullable=False),
            *(Column(f"c{at}", declared, nullable=True) for at in range(len(values))),
        ),
        ("id",),
    )
    form = form_of(tuple, shape, ("id",), SQLITE)
    row = (1, *values)
    used, last, is_full = form.collect([row], [], 1 << 40, form.base_bytes(row))
    assert last is row
    assert not is_full
    return used


@pytest.mark.parametrize("value", ["x" * 100, "é" * 100, "ä€" * 5_000, "😀" * 10_000, b"x" * 70_000])
def test_text_is_charged_as_the_heap_has_it(value):
    """Text of one, two or four bytes a letter, and bytes, are charged within a quarter of what they take."""
    from flatwater.sizing import heap_bytes

    rows = [(at, *(value if not isinstance(value, str) else value + str(at),) * 3) for at in range(3)]
    seen = heap_bytes(rows[0][1]) * 3 + heap_bytes((1,)) + 24
    assert 0.8 <= charge(rows[0][1:]) / seen <= 1.25


def test_a_row_that_does_not_fit_ends_the_batch_in_front_of_it():
    """The room is never exceeded by a second row, and a first one passes however large it is."""
    shape = Shape((Column("id", "integer", nullable=False), Column("body", "text", nullable=True)), ("id",))
    form = form_of(dict, shape, ("id",), SQLITE)
    out = []
    used, last, is_full = form.collect([(1, "x" * 10_000), (2, "y")], out, 100, BASE_BYTES)
    assert (len(out), last[0], is_full) == (1, 1, True)
    assert used > 10_000
    assert form.collect([(2, "y")], out, 100, BASE_BYTES) == (0, None, True)


def test_a_single_column_is_bare():
    """One column gives values, and the key is asked for beside it."""
    shape = Shape((Column("id", "integer", nullable=False), Column("body", "text", nullable=True)), ("id",))
    form = single_form("body", shape, ("id",), SQLITE)
    out = []
    form.collect([("a", 1), (None, 2)], out, 10_000, BASE_BYTES)
    assert (out, form.columns, form.key_at) == (["a", None], ("body", "id"), (1,))
    assert form.made_key is None


def test_text_that_is_none_is_a_row_that_is_named():
    """Bytes that are no text, in a column of text, are said with the row that they stand in."""
    pytest.importorskip("apsw")
    import apsw

    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)")
    connection.execute("INSERT INTO t VALUES (1, 'ok'), (2, CAST(x'ff41' AS TEXT))")
    table = Table(connection, "t", secret="a secret of the tests")
    for options in ({}, {"start": 2}):
        with pytest.raises(errors.FlatwaterError) as caught:
            list(table.find_each(**options))
        words = "the row behind id=1 cannot be read" if not options else "the first row cannot be read"
        assert words in str(caught.value)


def test_the_reason_in_a_message_is_cut_as_well():
    """A value of ten thousand letters does not make a message of ten thousand."""
    with pytest.raises(RowRefused) as caught:
        only(table_of(["day", "color"], (1, "x" * 10_000, "red")), Typed)
    assert len(str(caught.value)) < 1_000


def test_fields_that_are_given_to_post_init_only():
    """An InitVar is a field to be given, as __init__ wants it."""

    @dataclass
    class Scaled:
        id: int
        a: InitVar[int]

        def __post_init__(self, a):
            self.double = a * 2

    assert only(table_of(["a"], (1, 4)), Scaled).double == 8


def test_an_own_new_of_a_named_tuple_is_called():
    """A subclass that checks in __new__ is not gone around."""

    class Pair(NamedTuple):
        id: int
        a: int

    class Checked(Pair):
        def __new__(cls, id, a):  # noqa: A002 - the column has this name
            return super().__new__(cls, id, a * 2)

    assert only(table_of(["a"], (1, 4)), Checked) == (1, 8)


def test_aliases_of_a_model_are_its_names():
    """A pydantic model with an alias is given what it validates by."""

    class Model(pydantic.BaseModel):
        id: int
        name: str = pydantic.Field(alias="fullName")

    try:
        made = only(table_of(["fullName"], (1, "Ann")), Model)
    except errors.UsageError:
        made = only(table_of(["name"], (1, "Ann")), Model)
    assert made.name == "Ann"
