from __future__ import annotations

import dataclasses
import tracemalloc

import msgspec
import pytest

from flatwater.build import BatchBuilder, Builder
from flatwater.build.rows import Row
from flatwater.errors import UsageError


class Flat(msgspec.Struct):
    id: int
    name: str
    note: str | None
    score: float
    is_new: bool = False


@dataclasses.dataclass
class Nested:
    id: int
    tags: list[str] = dataclasses.field(default_factory=list)


def gathered(schema, rows, **more):
    """The bytes that a batch builder takes these rows to weigh."""
    builder = BatchBuilder(schema, list, as_="rows", batch_bytes="64 MiB", **more)
    for row in rows:
        builder.append(**row)
    found = builder.pending_bytes
    builder.discard()
    builder.close()
    return found


@pytest.mark.parametrize(
    ("schema", "row"),
    [
        (Flat, lambda number: {"id": number + 1000, "name": f"name {number}", "note": None, "score": number / 3}),
        (
            Flat,
            lambda number: {
                "id": number << 70,
                "name": "é" * (number % 50 + 1),
                "note": f"n {number}",
                "score": 0.1 + number,
            },
        ),
        (Nested, lambda number: {"id": number + 1000, "tags": [f"tag {number}", f"other {number}"]}),
        (["id", "value"], lambda number: {"id": number + 1000, "value": {"a": f"text {number}", "b": [number + 1000]}}),
        (["text"], lambda number: {"text": "x" * (number % 300) + str(number)}),
    ],
)
def test_charged_is_near_what_is_held(schema, row):
    """What rows are taken to weigh, with the objects made of them, is 0.8 to 1.4 of what tracemalloc sees."""
    count = 1_200
    builder = BatchBuilder(schema, list, as_="rows", batch_bytes="64 MiB")
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(count):
            builder.append(**row(number))
        objects = builder._objects()
        seen = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    charged = builder.pending_bytes
    assert len(objects) == count
    builder.discard()
    builder.close()
    assert 0.8 <= charged / seen <= 1.4


def test_a_value_of_another_type_is_weighed():
    """A list where a number should be does not get in for the price of a number."""
    plain = {"id": 1, "name": "a", "note": None, "score": 1.0}
    wrong = plain | {"score": ["x" * 1_000 for _ in range(1_000)]}
    assert gathered(Flat, [wrong]) > 5_000
    assert gathered(Flat, [plain | {"id": list(range(1_000, 3_000))}]) > 50_000
    assert gathered(Flat, [plain | {"note": "x" * 100_000}]) > 100_000


@pytest.mark.parametrize("schema", [Flat, Nested, ["id", "name"]])
@pytest.mark.parametrize("validate", [False, True])
def test_what_is_missing_or_unknown(schema, validate):
    """It is named whichever way a row comes, and the row is not taken."""
    if validate and isinstance(schema, list):
        return
    builder = BatchBuilder(schema, list, as_="rows", validate=validate)
    for wrong in (
        builder.append,
        lambda: builder.add({}),
        builder.row.push,
        lambda: builder.add(object()),
    ):
        with pytest.raises(ValueError, match="id"):
            wrong()
    with pytest.raises(UsageError, match=r"no field 'idd' .did you mean 'id'"):
        builder.append(idd=1)
    assert builder.pending == 0
    builder.close()


def test_the_fluent_row_is_empty_again():
    """Nothing of a pushed row is in the next; defaults are fresh; a failed push keeps what was set."""
    batches = []
    with BatchBuilder(Nested, batches.append, as_="rows") as builder:
        builder.row.with_id(1).with_tags(["a"]).push()
        builder.row.with_id(2).push()
        with pytest.raises(UsageError, match="'id' is not set"):
            builder.row.with_tags(["b"]).push()
        builder.row.with_id(3).push()
        assert isinstance(builder.row, Row)
        assert isinstance(builder.row, Builder)
    assert batches == [[Nested(1, ["a"]), Nested(2, []), Nested(3, ["b"])]]
    assert batches[0][1].tags is not batches[0][0].tags


def test_hostile_names():
    """They are columns like any other."""
    names = ["class", "a b", "x'; import os", "__class__", "p1", "push", "L0", "len"]
    batches = []
    with BatchBuilder(names, batches.append, as_="rows") as builder:
        builder.append(**{name: number for number, name in enumerate(names)})
        builder.row.set("a b", 1)
        for name in names:
            builder.row.set(name, name)
        builder.row.push()
    assert batches == [[{name: number for number, name in enumerate(names)}, {name: name for name in names}]]
