from __future__ import annotations

import abc
import collections
import dataclasses
import enum
import threading
import typing
from typing import Any, ClassVar, Generic, NamedTuple, NotRequired, Required, TypedDict, TypeVar

import msgspec
import pytest

from flatwater.build import BatchBuilder, builder
from flatwater.build.schemas import MISSING, read
from flatwater.errors import UsageError

T = TypeVar("T")


@dataclasses.dataclass
class Base:
    id: int
    shared: ClassVar[int] = 0


@dataclasses.dataclass
class Child(Base):
    name: str = "?"
    tags: list[str] = dataclasses.field(default_factory=list)
    made: str = dataclasses.field(default="", init=False)
    seed: dataclasses.InitVar[int] = 3
    extra: int = dataclasses.field(default=1, kw_only=True)


class Keyed(TypedDict):
    id: Required[int]
    note: NotRequired[str]


class Loose(Keyed, total=False):
    size: int


class Row(msgspec.Struct, kw_only=True, rename="camel"):
    row_id: int
    tags: list[str] = msgspec.field(default_factory=list)
    next_row: Row | None = None


class Plain:
    id: int
    tags: list[str] = []  # noqa: RUF012 - a mutable default is what is tested
    count: ClassVar[int] = 0


class Slotted:
    __slots__ = ("id",)
    id: int


class Own:
    other: float

    def __init__(self, id: int, *, name: str = "x", **rest: object) -> None:  # noqa: A002 - a field's name
        self.id, self.name = id, name


class Pair(NamedTuple):
    left: int
    right: str = "r"


@dataclasses.dataclass
class Page(Generic[T]):
    item: T
    items: list[T]


def by_name(source):
    return {field.name: field for field in read(source).fields}


def test_names():
    """A list, a tuple and an iterator of names are dicts whose fields are all required."""
    for names in (["id", "name"], ("id", "name"), iter(["id", "name"])):
        schema = read(names)
        assert (schema.cls, schema.kind, schema.names, schema.is_typed) == (dict, "dict", ("id", "name"), False)
        assert all(field.is_required for field in schema.fields)


def test_a_dataclass_is_read_by_its_constructor():
    """Inherited fields first, keyword-only ones last, InitVar counted, ClassVar and init=False not."""
    schema = read(Child)
    assert schema.names == ("id", "name", "tags", "seed", "extra")
    fields = by_name(Child)
    assert fields["id"].is_required
    assert fields["tags"].factory is list
    assert (fields["seed"].type, fields["seed"].default) == (int, 3)
    assert [field.name for field in schema.fields if field.by_keyword] == ["extra"]


def test_a_plain_dataclass_is_filled_directly():
    """Only where the constructor is the generated one and does nothing but store."""
    assert read(Base).kind == "call"  # a ClassVar is among its fields
    assert read(dataclasses.make_dataclass("D", ["a", "b"], slots=True)).kind == "fill"
    assert read(dataclasses.make_dataclass("D", ["a"], frozen=True)).kind == "call"
    assert read(dataclasses.make_dataclass("D", ["a"], namespace={"__post_init__": lambda self: None})).kind == "call"
    assert read(dataclasses.make_dataclass("D", ["a"], namespace={"__setattr__": object.__setattr__})).kind == "fill"
    own = dataclasses.make_dataclass("D", ["a"], namespace={"__setattr__": lambda self, name, value: None})
    assert read(own).kind == "call"


def test_a_dataclass_with_a_constructor_of_its_own():
    """What it takes is what counts, not the fields."""

    @dataclasses.dataclass
    class Mine:
        id: int

        def __init__(self, text: str) -> None:
            self.id = int(text)

    assert read(Mine).names == ("text",)
    assert by_name(Mine)["text"].type is str


def test_a_struct():
    """Names are the attributes', whatever they are renamed to outside; forward references are resolved."""
    fields = by_name(Row)
    assert list(fields) == list(Row.__struct_fields__)
    assert fields["tags"].factory is list
    assert fields["next_row"].default is None
    assert fields["row_id"].by_keyword
    assert fields["next_row"].type == Row | None


def test_a_typed_dict():
    """Optional keys are told by total=, Required and NotRequired, strings or not."""
    fields = by_name(Loose)
    assert {name: field.may_be_absent for name, field in fields.items()} == {"id": False, "note": True, "size": True}
    assert fields["note"].type is str


def test_classes_without_a_constructor():
    """Annotations are set one by one; class attributes are defaults, copied where they can be changed."""
    fields = by_name(Plain)
    assert list(fields) == ["id", "tags"]
    one, other = fields["tags"].factory(), fields["tags"].factory()
    assert one == other == []
    assert one is not other
    assert by_name(Slotted)["id"].is_required


def test_classes_with_one():
    """Its parameters, with their annotations; what has no name is no field."""
    fields = by_name(Own)
    assert list(fields) == ["id", "name"]
    assert (fields["id"].type, fields["name"].default) == (int, "x")
    assert by_name(Pair)["right"].default == "r"


def test_a_generic_class():
    """Type variables are replaced by what stands in the brackets."""
    fields = by_name(Page[int])
    assert (fields["item"].type, fields["items"].type) == (int, list[int])
    assert read(Page[int]).cls is Page


def test_pydantic_models():
    """An alias is the constructor's name, and the field's own where that is allowed."""
    pydantic = pytest.importorskip("pydantic")

    class Model(pydantic.BaseModel):
        id: int = pydantic.Field(alias="ID")
        other: int = pydantic.Field(default=1, validation_alias=pydantic.AliasChoices("o", "x"))

    class Named(Model):
        model_config = pydantic.ConfigDict(populate_by_name=True)

    class Deep(pydantic.BaseModel):
        id: int = pydantic.Field(validation_alias=pydantic.AliasPath("a", 0))

    assert [field.key for field in read(Model).fields] == ["ID", "o"]
    assert [field.key for field in read(Named).fields] == ["id", "other"]
    assert [field.is_required for field in read(Model).fields] == [True, False]
    with pytest.raises(UsageError, match="path only"):
        read(Deep)


class Abstract(abc.ABC):
    id: int

    @abc.abstractmethod
    def work(self):
        """To be written."""


class Lost:
    some: ClassVar[int] = 1
    id: NotDefinedAnywhere  # noqa: F821 - that is the point


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("name", "is no schema"),
        (b"name", "is no schema"),
        (5, "is no schema"),
        (None, "is no schema"),
        ({"id": int}, "is no schema"),
        ([], "without fields"),
        (["a", "a"], "named twice"),
        ([""], "1 to 1,000 characters"),
        (["x" * 2_000], "1 to 1,000 characters"),
        ([1], "no name for a field"),
        (["a", None], "no name for a field"),
        ((str(number) for number in range(20_000)), "too many"),
        (Abstract, "abstract"),
        (type("Empty", (), {}), "no annotations and no constructor"),
        (type("Positional", (), {"__init__": lambda self, a, /: None}), "positional only"),
        (type("Open", (), {"__init__": lambda self, *rest, **more: None}), "names no parameters"),
    ],
)
def test_what_is_no_schema(source, words):
    """It is refused in words, never with a traceback from inside."""
    with pytest.raises(UsageError, match=words):
        read(source)


def test_annotations_that_cannot_be_resolved():
    """They are no obstacle to building; who needs the types is told what is missing."""
    assert vars(builder(Lost).make(id=1)) == {"id": 1}
    for needs_types in (lambda: builder(Lost, validate=True), lambda: BatchBuilder(Lost, print)):
        with pytest.raises(UsageError, match="'NotDefinedAnywhere' is not defined"):
            needs_types()


def test_no_harm_in_odd_classes():
    """Builtins and enumerations are read or refused, and nothing else."""
    for source in (int, dict, object, Colour, type, typing.Any, Exception, list[int]):
        try:
            read(source)
        except UsageError:
            continue


def test_missing_is_itself():
    """The mark of what is not there survives copies, and says what it is."""
    import copy

    assert copy.deepcopy(MISSING) is MISSING
    assert repr(MISSING) == "<unset>"


def test_an_untyped_parameter_is_anything():
    """No annotation means any value."""

    class Free:
        def __init__(self, id, name=None):  # noqa: A002 - a field's name
            self.id = id

    assert [field.type for field in read(Free).fields] == [Any, Any]


def test_defaults_that_would_be_shared():
    """Kinds of lists and dicts are copied as well; what cannot be copied is refused, with its name."""

    class Kept:
        ordered: object = collections.OrderedDict(x=1)
        queue: object = collections.deque([1])

    one = builder(Kept).make()
    one.ordered["y"] = one.queue.append(2)
    assert (builder(Kept).make().ordered, len(Kept.queue)) == ({"x": 1}, 1)

    class Locked:
        locks: object = [threading.Lock()]

    with pytest.raises(UsageError, match="cannot be copied"):
        builder(Locked)


def test_what_cannot_be_built():
    """An enumeration has its members; a property without a setter takes no value. Both are said when the builder is made."""

    class Fixed:
        a: int

        @property
        def a(self):
            return 1

    with pytest.raises(UsageError, match="enumeration"):
        read(enum.Enum("Colour", "RED"))
    with pytest.raises(UsageError, match=r"Fixed\.a is a property that cannot be set"):
        read(Fixed)
