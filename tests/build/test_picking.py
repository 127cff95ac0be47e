from __future__ import annotations

import copy
import dataclasses
import functools
import pickle
import types
from collections import UserDict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater.build import InvalidError, Picker, pick
from flatwater.errors import UsageError


class Line(msgspec.Struct):
    price: float
    cost: float


@dataclasses.dataclass
class User:
    name: str
    password: str

    def leak(self):
        return self.password

    @property
    def shout(self):
        return self.name.upper()


class Order(msgspec.Struct):
    id: int
    user: User | None
    items: list[Line]


PATHS = ["id", "user.name", "items[].price"]
DICTS = {
    "id": 7,
    "user": {"name": "A", "password": "x"},
    "items": [{"price": 1, "cost": 2}, {"price": 3, "cost": 4}],
    "x": 1,
}
OBJECTS = Order(7, User("A", "x"), [Line(1, 2), Line(3, 4)])
PICKED = {"id": 7, "user": {"name": "A"}, "items": [{"price": 1}, {"price": 3}]}


@pytest.mark.parametrize(
    "value",
    [
        DICTS,
        OBJECTS,
        UserDict(DICTS),
        types.SimpleNamespace(**DICTS),
        types.MappingProxyType({**DICTS, "items": tuple(DICTS["items"])}),
        {**DICTS, "user": User("A", "x"), "items": [Line(1, 2), {"price": 3}]},
    ],
)
def test_what_is_named_passes(value):
    """Of dicts, mappings, objects and Structs, mixed and nested, in dicts and lists of the same shape, again and again."""
    take = pick(PATHS)
    assert [take(value) for _ in range(3)] == [PICKED] * 3


def test_the_result_is_new():
    """Its dicts and lists are not those picked from; what the paths end at is."""
    value = copy.deepcopy(DICTS)
    taken = pick(["user.name", "items[]"])(value)
    assert taken["items"] is not value["items"]
    assert taken["items"][0] is value["items"][0]
    taken["user"]["name"] = "B"
    assert value["user"]["name"] == "A"


@pytest.mark.parametrize(
    ("path", "named"),
    [("user.email", "user.email"), ("email", "email"), ("items[].tax", "items[].tax"), (r"us\.er", r"us\.er")],
)
@pytest.mark.parametrize("value", [DICTS, OBJECTS])
def test_what_is_missing_is_named(path, named, value):
    """With its whole path."""
    with pytest.raises(InvalidError, match="is not there") as caught:
        pick(["id", path])(value)
    assert caught.value.problems[0][0] == named


def test_what_is_missing_can_be_null_or_left_out():
    """As asked for; what is there is the same."""
    assert pick(["id", "user.email"], missing="null")(DICTS) == {"id": 7, "user": {"email": None}}
    assert pick(["id", "user.email"], missing="drop")(OBJECTS) == {"id": 7, "user": {}}
    assert pick(["a.b.c"], missing="null")({}) == {"a": None}
    assert pick(["items[].tax"], missing="drop")(DICTS) == {"items": [{}, {}]}


def test_none_passes():
    """Where an object or a list could be, None stands for it."""
    assert pick(PATHS)({"id": None, "user": None, "items": None}) == {"id": None, "user": None, "items": None}
    assert pick(["items[].price"])({"items": [None, {"price": 1}]}) == {"items": [None, {"price": 1}]}


@pytest.mark.parametrize(
    ("path", "value"), [("items[]", 5), ("items[].x", "text"), ("items[]", {"a": 1}), ("items[].x", b"")]
)
def test_what_is_no_list(path, value):
    """It is said, with the path; a text is none, and neither is a dict."""
    with pytest.raises(InvalidError, match="items: is no list"):
        pick([path])({"items": value})


@pytest.mark.parametrize("value", [5, "text", b"", [1], (1,), {1}, 1.5])
def test_what_has_no_names(value):
    """A number, a text or a list has no parts to be named."""
    with pytest.raises(InvalidError, match="user: has no names in it"):
        pick(["user.name"])({"user": value})


def test_lists_at_the_top_and_within_lists():
    """`[]` may stand first, and twice."""
    assert pick(["[].id"])([{"id": 1, "x": 2}]) == [{"id": 1}]
    assert pick(["grid[][]"])({"grid": [[1, 2], (3,)]}) == {"grid": [[1, 2], [3]]}
    assert pick(["[]"])((1, 2)) == [1, 2]
    assert pick(["rows[]"])({"rows": {1}}) == {"rows": [1]}


class Hostile:
    secret = 5

    def method(self):
        return self

    def __init__(self):
        self.running = (number for number in range(3))
        self.function = lambda: None
        self.module = types
        self.kind = Hostile
        self.data = {"__class__": "only a key"}


@pytest.mark.parametrize(
    "path",
    ["__class__", "__dict__", "__init__.__globals__", "method", "method.__self__", "running.gi_frame", "function", "module.sys",
     "function.__globals__", "kind.secret", "kind", "running"],
)  # fmt: skip
def test_paths_reach_data_only(path):
    """No path from outside leads to code, to what Python keeps, or through them."""
    with pytest.raises(InvalidError):
        pick([path])(Hostile())
    assert pick([path], missing="drop")(Hostile()) in ({}, {path.split(".")[0]: {}})


def test_keys_may_have_any_name():
    """In a dict a name is a key and nothing else; a property of an object is data."""
    assert pick(["__class__", "a b", r"x\.y"])({"__class__": 1, "a b": 2, "x.y": 3}) == {
        "__class__": 1,
        "a b": 2,
        "x.y": 3,
    }
    assert pick(["data.__class__"])(Hostile()) == {"data": {"__class__": "only a key"}}
    assert pick(["shout"])(User("a", "x")) == {"shout": "A"}


def test_an_error_within_a_property_is_its_own():
    """It is not taken for a missing part."""

    class Breaks:
        @property
        def name(self):
            return {}["inner"]

    with pytest.raises(KeyError, match="inner"):
        pick(["name"])(Breaks())


def test_a_picker_travels():
    """It is pickled as its paths."""
    take = pickle.loads(pickle.dumps(pick(PATHS, missing="null")))
    assert isinstance(take, Picker)
    assert (take(DICTS), take.missing) == (PICKED, "null")
    assert repr(take) == "<picker of id, user.name, items[].price>"


def test_wrong_use():
    """What to do with missing parts is one of three."""
    with pytest.raises(UsageError, match="'error', 'null' or 'drop'"):
        pick(["id"], missing="ignore")


NAMES = st.sampled_from(["a", "b", "c", "__x__", "d.e"])
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
PATH_LISTS = st.lists(
    st.lists(NAMES | st.just("[]"), min_size=1, max_size=4).map(
        lambda parts: "".join(
            part if part == "[]" else ("." if place else "") + part.replace(".", r"\.")
            for place, part in enumerate(parts)
        )
    ),
    min_size=1,
    max_size=4,
)


@given(PATH_LISTS, VALUES, st.sampled_from(["error", "null", "drop"]))
def test_nothing_passes_that_is_not_named(paths, value, missing):
    """Over any paths and values: the careful way and the compiled one agree, and every key of the result is in a path."""
    try:
        take = pick(paths, missing=missing)
    except UsageError:
        return
    try:
        taken = take(value)
    except InvalidError:
        return
    named = {part for path in paths for part in path.replace(r"\.", "\0").replace("[]", "").split(".")}
    allowed = {name.replace("\0", ".") for name in named}

    def look(found, path, wholes):
        if path in wholes:
            return  # taken whole: what is inside was named with it
        if isinstance(found, dict):
            assert set(found) <= allowed
            for name, part in found.items():
                escaped = name.replace(".", r"\.")
                look(part, f"{path}.{escaped}" if path else escaped, wholes)
        elif isinstance(found, list):
            for part in found:
                look(part, f"{path}[]", wholes)

    look(taken, "", set(paths))
    assert take(slowly(value)) == taken


def slowly(value):
    """The same, with mappings that the compiled way leaves to the careful one."""
    if isinstance(value, dict):
        return UserDict({name: slowly(part) for name, part in value.items()})
    return [slowly(part) for part in value] if isinstance(value, list) else value


def test_methods_of_any_make_are_no_data():
    """A cache around a method, or a function with some arguments given, leads to code as a method does."""

    class Data:
        def __init__(self):
            self.bound = functools.partial(print)
            self.said = Said()

        @staticmethod
        @functools.lru_cache
        def cached():
            """Cached."""

    class Said:
        text = "x"

        def __call__(self):
            """It can be called, and is data all the same."""

    for path in ("cached", "bound", "bound.func"):
        assert pick([path], missing="drop")(Data()) in ({}, {"bound": {}})
    assert pick(["said.text"])(Data()) == {"said": {"text": "x"}}
