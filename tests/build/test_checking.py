from __future__ import annotations

import dataclasses
import datetime as dt
import pickle
from typing import Annotated, NotRequired, TypedDict

import msgspec
import pytest

from flatwater import limits
from flatwater.build import builder
from flatwater.build.checking import InvalidError
from flatwater.errors import UsageError


class User(msgspec.Struct, rename="camel"):
    name: str
    age: Annotated[int, msgspec.Meta(ge=0)]
    born: dt.date | None = None
    tags: list[str] = []


@dataclasses.dataclass(frozen=True)
class Frozen:
    name: str
    age: int = 3


class Keyed(TypedDict):
    name: str
    age: NotRequired[int]


def test_every_error_is_told():
    """Wrong and forgotten values are all named, in the order of the fields, with the reason."""
    with pytest.raises(InvalidError) as caught:
        builder(User, validate=True).create().with_age(-1).with_born("never").with_tags(["a", 1]).build()
    problems = dict(caught.value.problems)
    assert list(problems) == ["name", "age", "born", "tags"]
    assert problems["name"] == "is not set"
    assert "`int` >= 0" in problems["age"]
    assert "$[1]" in problems["tags"]
    assert "name: is not set; age:" in str(caught.value)


@pytest.mark.parametrize("schema", [User, Frozen, Keyed])
def test_what_is_right_passes(schema):
    """By setters and by `make`, with defaults left out."""
    factory = builder(schema, validate=True)
    for made in (factory.create().with_name("Ann").with_age(4).build(), factory.make(name="Ann", age=4)):
        assert (made["name"] if isinstance(made, dict) else made.name) == "Ann"
    without = factory.make(name="Ann") if schema is not User else factory.make(name="Ann", age=0)
    assert (without == {"name": "Ann"}) if isinstance(without, dict) else without.name == "Ann"


def test_values_are_converted_where_the_type_says_so():
    """A text that is a date becomes one; a default is not checked, and not shared."""
    factory = builder(User, validate=True)
    one, other = (factory.make(name="Ann", age=1, born="2020-01-02") for _ in range(2))
    assert one.born == dt.date(2020, 1, 2)
    assert one.tags == []
    assert one.tags is not other.tags


def test_a_failed_build_leaves_the_builder_as_it_was():
    """After the error the wrong field can be set again, and the others are still there."""
    made = builder(Frozen, validate=True).create().with_name("Ann").with_age("x")
    with pytest.raises(InvalidError):
        made.build()
    assert made.with_age(5).build() == Frozen("Ann", 5)


def test_unknown_names_are_the_programs_error():
    """They are refused as wrong use, and not as wrong data."""
    with pytest.raises(UsageError, match="did you mean 'name'"):
        builder(Frozen, validate=True).make(nmae="Ann")


def test_pydantic_tells_all_in_the_same_form():
    """A model always checks itself; its findings are (field, reason) too, and its own error is the cause."""
    pydantic = pytest.importorskip("pydantic")

    class Model(pydantic.BaseModel):
        id: int = pydantic.Field(alias="ID")
        name: str
        tags: list[str] = []  # noqa: RUF012 - pydantic copies it

    factory = builder(Model)
    with pytest.raises(InvalidError) as caught:
        factory.create().with_id("x").build()
    assert [field for field, _reason in caught.value.problems] == ["id", "name"]
    assert isinstance(caught.value.__cause__, pydantic.ValidationError)
    made = factory.make(id=3, name="Ann")
    assert (made.id, made.tags, made.model_fields_set) == (3, [], {"id", "name"})


def test_pydantic_dataclasses():
    """They are built by keyword, with their own defaults."""
    pydantic = pytest.importorskip("pydantic")
    from pydantic.dataclasses import dataclass

    @dataclass
    class Point:
        x: int
        tags: list[str] = dataclasses.field(default_factory=list)

    factory = builder(Point)
    assert factory.make(x="4") == Point(4)
    assert factory.make(x=1).tags is not factory.make(x=1).tags
    with pytest.raises(InvalidError):
        factory.make(x="no")
    assert pydantic.VERSION


@pytest.mark.parametrize(
    "schema",
    [["id"], type("Odd", (), {"__annotations__": {"what": "complex | bytes | list[int] | tuple[int, ...]"}})],
)
def test_what_cannot_be_checked(schema):
    """Names have no types, and some types are none that msgspec knows: both are said when the builder is made."""
    with pytest.raises(UsageError, match=r"no types|cannot be validated"):
        builder(schema, validate=True)


def test_the_error_travels():
    """It can be pickled, with everything it says, and a long one is cut in the message only."""
    error = InvalidError("User", [(f"f{number}", "is not set") for number in range(50)])
    again = pickle.loads(pickle.dumps(error))
    assert again.problems == error.problems
    assert len(again.problems) == 50
    assert str(again).endswith("and 30 more.")
    assert isinstance(again, ValueError)


def test_everything_inside_of_a_value_is_told():
    """Each wrong item of a list is a problem of its own, up to a bound; pydantic's too."""

    class Order(msgspec.Struct):
        prices: list[int]
        buyer: Frozen

    orders = builder(Order, validate=True)
    with pytest.raises(InvalidError) as caught:
        orders.make(prices=["a", 1, "b"], buyer={"name": 5, "age": "x"})
    assert [(field, reason.partition(" - at ")[2]) for field, reason in caught.value.problems] == [
        ("prices", "`$[0]`"), ("prices", "`$[2]`"), ("buyer", "`$.name`"), ("buyer", "`$.age`"),
    ]  # fmt: skip
    with pytest.raises(InvalidError) as caught:
        orders.make(prices=["a"] * 100_000, buyer={"name": "x"})
    assert len(caught.value.problems) == limits.BUILD_PROBLEMS_MAX + 1
    assert "more wrong values" in caught.value.problems[-1][1]
