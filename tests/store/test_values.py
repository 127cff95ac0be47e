"""What was stored is what comes back; what could not come back is refused, and what is damaged is named."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypedDict

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flatwater import errors
from flatwater.store.values import FORMATS, Values


class User(msgspec.Struct):
    name: str
    age: int = 3


@dataclass
class Point:
    x: float
    y: float = 0.0


class Row(TypedDict):
    id: int


class Colour(enum.Enum):
    RED = "red"


KINDS = [
    (User, User("Ann", 4)), (Point, Point(1.5)), (Row, {"id": 1}), (dict, {"a": [1, None, "b"]}), (int, 0), (str, "ü"),
    (list[int], [1, 2]), (dict[str, float], {"a": 0.5}), (Colour, Colour.RED), (datetime, datetime(2024, 1, 2, tzinfo=UTC)),
    (Decimal, Decimal("1.10")), (Any, [1, {"a": "b"}]), (bool, False), (int | str, "a"), (tuple[int, str], (1, "a")),
    (float, 0.0), (bytearray, bytearray(b"\x00\xff")),
]  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("kind", "value"), KINDS, ids=[str(getattr(kind, "__name__", kind)) for kind, _ in KINDS])
def test_a_typed_value_comes_back(kind, value, form):
    """Each kind of value, in both formats, is equal and of the same type afterwards."""
    values = Values(kind, form)
    stored = values.encode(value)
    assert type(stored) is bytes
    assert (values.decode(stored, ("a",)), type(values.decode(stored, ("a",)))) == (value, type(value))
    assert values.encode_many([value, None, value]) == [stored, None, stored]
    assert not values.is_raw


def test_bytes_are_what_they_are():
    """Bytes are not copied; what looks like bytes becomes bytes."""
    values = Values()
    value = b"as it is"
    assert values.is_raw
    assert values.encode(value) is value
    assert values.decode(value, ("a",)) is value
    listed = [value, None, b""]
    assert values.encode_many(listed) == listed
    changing = bytearray(b"abc")
    stored = values.encode_many([changing, memoryview(changing), memoryview(changing)[::2]])
    changing[0] = 0
    assert stored == [b"abc", b"abc", b"ac"]
    assert set(map(type, stored)) == {bytes}


@pytest.mark.parametrize("value", ["text", 1, None, ["a"], {"a": 1}, object(), 1.5])
def test_a_store_of_bytes_takes_bytes_only(value):
    """A text is refused with what it is and with the way to type it, one by one and among others."""
    with pytest.raises(errors.UsageError, match="this store holds bytes") as refused:
        Values().encode(value)
    assert "type=" in refused.value.hint
    if value is not None:
        with pytest.raises(errors.UsageError, match=f"is {type(value).__name__}, and"):
            Values().encode_many([b"a", None, value])


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (User, "Ann"), (User, {"name": 1}), (User, Point(1.0)), (int, "1"), (int, 1.5), (str, 1), (str, "\ud800"),
        (list[int], ["a"]), (Row, {}), (Colour, "blue"), (dict, [1]), (dict[str, int], {"a": "b"}), (User, object()),
        (Any, object()), (Any, {1: object()}),
    ],
    ids=lambda part: part if isinstance(part, str) and part.isascii() else type(part).__name__,
)  # fmt: skip
def test_what_could_not_be_read_again_is_refused(kind, value, form):
    """A value of another type is refused when it is written, not found when it is read."""
    with pytest.raises(errors.UsageError, match=f"cannot be stored as .* in {form}"):
        Values(kind, form).encode(value)
    with pytest.raises(errors.UsageError, match="cannot be stored"):
        Values(kind, form).encode_many([None, value])


@pytest.mark.parametrize("form", FORMATS)
def test_what_has_the_form_of_a_value_is_one(form):
    """A dict of a Struct's fields can be stored, and comes back as the Struct."""
    values = Values(User, form)
    assert values.decode(values.encode({"name": "Ann", "age": 9}), ()) == User("Ann", 9)


def test_none_is_no_value():
    """None deletes where it is written, so that no type has it as a value."""
    for kind in (Any, int | None, User):
        with pytest.raises(errors.UsageError, match="None is no value") as refused:
            Values(kind).encode(None)
        assert "delete" in refused.value.hint


def test_not_a_number_in_json_is_refused():
    """JSON says null for it, which is no number: it could not be read again. Msgpack keeps it."""
    for number in (float("nan"), float("inf")):
        with pytest.raises(errors.UsageError, match="cannot be stored as float in json"):
            Values(float, "json").encode(number)
    packed = Values(float)
    assert packed.decode(packed.encode(float("-inf")), ()) == float("-inf")


def test_a_value_that_is_too_much_for_its_format_is_refused():
    """Numbers beyond msgpack's and values that contain themselves end in UsageError, however long they would print."""
    nested: list[Any] = []
    nested.append(nested)
    for value in (2**70, 10**6000, nested):
        with pytest.raises(errors.UsageError, match="cannot be stored"):
            Values(Any).encode(value)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "stored", [b"", b"\xff", b"\xc1", b"{", b"\x81", b'{"name"', b"\xa1\xff", b'"\xff"', b"[" * 9999]
)
def test_a_damaged_value_is_named(form, stored):
    """Bytes that are no value of the type end in CorruptError with the key and the type."""
    for kind in (User, str, dict):
        with pytest.raises(errors.CorruptError, match=r"the value of \('a', 7\) is no (User|str|dict) in"):
            Values(kind, form).decode(stored, ("a", 7))


@given(st.binary(max_size=60), st.sampled_from(FORMATS), st.sampled_from([User, Point, Row, Any, int, list[int]]))
@settings(max_examples=150)
def test_foreign_bytes_are_a_value_or_damage(stored, form, kind):
    """Any bytes decode or end in CorruptError: nothing else is raised."""
    try:
        value = Values(kind, form).decode(stored, ("a",))
    except errors.CorruptError:
        return
    assert value is not stored


@pytest.mark.parametrize(
    "kind", [123, "int", [], lambda: 0, list["int"]], ids=["number", "text", "list", "lambda", "name"]
)
def test_a_type_that_msgspec_does_not_know_is_refused(kind):
    """The argument `type` is refused when it is given."""
    with pytest.raises(errors.UsageError, match="cannot be stored"):
        Values(kind)


@pytest.mark.parametrize("form", ["yaml", "", None, "JSON", ["json"]], ids=str)
def test_an_unknown_format_is_refused(form):
    """The argument `format` is refused with those that are known."""
    with pytest.raises(errors.UsageError, match="is not known") as refused:
        Values(User, form)
    assert "msgpack, json" in refused.value.hint


def test_json_has_no_nan():
    """A float field that is not a number would come back as null: it is refused, where null is no value of it."""
    values = Values(Point, "json")
    assert values.decode(values.encode(Point(1.5)), ()) == Point(1.5)
    with pytest.raises(errors.UsageError, match="cannot be stored"):
        values.encode(Point(float("nan")))


def test_what_is_nested_too_deep_is_told():
    """Also where it cannot even be shown."""
    deep: list[object] = []
    for _level in range(5000):
        deep = [deep]
    for values in (Values(list), Values()):
        with pytest.raises(errors.UsageError, match="list"):
            values.encode(deep)
