"""build.findings: every part of a value that is wrong, each with its place."""

from __future__ import annotations

import dataclasses
from collections import namedtuple
from typing import Annotated, Any, NamedTuple, NotRequired, TypedDict

import msgspec
import pytest

from flatwater.build.findings import bare, findings, without_none


class Item(msgspec.Struct, rename="camel"):
    unit_price: int
    tags: list[str] = []


@dataclasses.dataclass
class Buyer:
    name: str
    age: int = 0


class Keyed(TypedDict):
    a: int
    b: NotRequired[int]


class Pair(NamedTuple):
    x: int
    y: int


class Node(msgspec.Struct):
    value: int
    below: list[Node] = []


def told(kind, value):
    return list(findings(msgspec.convert, msgspec.ValidationError, kind, value))


INT = "Expected `int`, got `str`"


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (int, 1, []),
        (int, "a", [INT]),
        (list[int], ["a", 1, "b"], [f"{INT} - at `$[0]`", f"{INT} - at `$[2]`"]),
        (list[int] | None, ["a"], [f"{INT} - at `$[0]`"]),
        (tuple[int, str, int], ("a", "b", "c"), [f"{INT} - at `$[0]`", f"{INT} - at `$[2]`"]),
        (tuple[int, ...], ["a", "b"], [f"{INT} - at `$[0]`", f"{INT} - at `$[1]`"]),
        (tuple[int, int], (1,), ["Expected `array` of length 2, got 1"]),
        (dict[str, int], {"k": "a", "l": 1, "m": "b"}, [f"{INT} - at `$['k']`", f"{INT} - at `$['m']`"]),
        (
            list[Item],
            [{"unitPrice": "a", "tags": ["x", 1]}, {"tags": 5}],
            [
                f"{INT} - at `$[0].unitPrice`",
                "Expected `str`, got `int` - at `$[0].tags[1]`",
                "Object missing required field `unitPrice` - at `$[1]`",
                "Expected `array`, got `int` - at `$[1].tags`",
            ],
        ),
        (Buyer, {"name": 5, "age": "x"}, ["Expected `str`, got `int` - at `$.name`", f"{INT} - at `$.age`"]),
        (Keyed, {"b": "x"}, ["Object missing required field `a`", f"{INT} - at `$.b`"]),
        (Annotated[list[Annotated[int, msgspec.Meta(ge=0)]], "said"], [-1, -2, 3], None),
        (Item, 5, ["Expected `object`, got `int`"]),
        (int | str, [1], ["Expected `int | str`, got `array`"]),
        (dict[int, int], {"k": 1}, None),
    ],
)
def test_every_wrong_part_is_told(kind, value, wanted):
    """With its place as msgspec writes it; where nothing inside is to blame, what msgspec says of the whole."""
    reasons = told(kind, value)
    if wanted is None:
        assert reasons
    else:
        assert reasons == wanted


def test_a_type_within_itself():
    """As deep as the data goes, up to a bound: what lies deeper is told in msgspec's one line."""
    value: Any = {"value": "x"}
    for _ in range(40):
        value = {"value": 1, "below": [value]}
    assert len(told(Node, value)) == 1
    assert told(Node, {"value": "x", "below": [{"value": "y"}]}) == [
        f"{INT} - at `$.value`",
        f"{INT} - at `$.below[0].value`",
    ]


def test_what_has_no_types_is_told_whole():
    """A named tuple that comes as one has its places; one without types says nothing."""
    assert told(Pair, ("a", 2)) == [f"{INT} - at `$[0]`"]
    assert told(list[namedtuple("Bare", "x y")], [("a", 2)]) == []  # noqa: PYI024 - without types is the point


def test_annotations_without_what_is_said_about_them():
    """`Annotated`, `NotRequired` and None are taken away."""
    assert bare(Annotated[int, "x"]) is int
    assert bare(NotRequired[int]) is int
    assert without_none(int | None) == (int, True)
    assert without_none(int | str) == (int | str, False)
