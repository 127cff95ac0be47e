from __future__ import annotations

import dataclasses
from typing import Any, Literal, TypedDict

import msgspec
import pytest

from flatwater import errors
from flatwater.source.files.schemas import RowSchema


class Struct(msgspec.Struct, rename={"number": "no"}):
    number: int
    name: str = ""
    size: float | None = None
    kind: Literal["", "a"] = ""
    any: Any = 0


@dataclasses.dataclass
class Data:
    number: int


class Typed(TypedDict):
    number: int


@pytest.mark.parametrize("schema", [Struct, Data, Typed])
def test_rows_of_each_kind(schema):
    """Each kind of schema makes rows of itself, and tells its fields by their names in the file."""
    name = "no" if schema is Struct else "number"
    made = RowSchema(schema)
    assert made.fields[0].name == name
    (row,) = made.converted([{name: 3}], strict=True)
    assert (row["number"] if schema is Typed else row.number) == 3
    assert made.one({name: "3"}, strict=False) == row
    with pytest.raises(msgspec.ValidationError):
        made.one({name: "3"}, strict=True)


def test_dicts():
    """dict takes rows as they are; dict of something converts the values."""
    assert RowSchema(dict).one({"a": "1"}, strict=False) == {"a": "1"}
    assert RowSchema(dict[str, int]).one({"a": "1"}, strict=False) == {"a": 1}


def test_which_fields_take_an_empty_text():
    """Those with text in them do; those with None in them take nothing."""
    assert [(field.is_required, field.takes_empty, field.takes_none) for field in RowSchema(Struct).fields] == [
        (True, False, False), (False, True, False), (False, False, True), (False, True, False), (False, True, True),
    ]  # fmt: skip


class Listed(msgspec.Struct, array_like=True):
    number: int


@pytest.mark.parametrize("schema", [int, list, str, None, 5, "Data", Listed, object])
def test_what_is_no_schema(schema):
    """It is refused where it is written, with what would be one."""
    with pytest.raises(errors.UsageError, match="dataclass"):
        RowSchema(schema)


def test_columns():
    """Those of the schema are wanted; a missing or doubled one is told with the file."""
    schema = RowSchema(Struct)
    assert schema.columns(["x", "size", "no"], "f") == [1, 2]
    with pytest.raises(errors.CorruptError, match="f has no column 'no', which Struct requires; it has name"):
        schema.columns(["name"], "f")
    with pytest.raises(errors.CorruptError, match="two columns named 'no'"):
        schema.columns(["no", "no"], "f")
    with pytest.raises(errors.CorruptError, match="two columns"):
        RowSchema(dict).columns(["a", "a"], "f")
