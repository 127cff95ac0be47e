from __future__ import annotations

import collections
import copy
import dataclasses
import pickle
import threading
from typing import Generic, NamedTuple, NotRequired, TypedDict, TypeVar

import msgspec
import pytest

import flatwater.build as fb
from flatwater.build import Builder, Factory, builder
from flatwater.errors import UsageError

T = TypeVar("T")


@dataclasses.dataclass
class Data:
    name: str
    age: int = 3
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class Slots:
    name: str
    age: int = 3
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    name: str
    age: int = 3
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Made:
    name: str
    seed: dataclasses.InitVar[int] = 2
    age: int = dataclasses.field(init=False)
    tags: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self, seed: int) -> None:
        if seed < 0:
            raise ArithmeticError("seed")
        self.age = seed + 1


class Struct(msgspec.Struct):
    name: str
    age: int = 3
    tags: list[str] = []


class Lean(msgspec.Struct, gc=False, kw_only=True, rename="upper"):
    name: str
    age: int = 3
    tags: list[str] = msgspec.field(default_factory=list)


class Annotated:
    name: str
    age: int = 3
    tags: list[str] = []  # noqa: RUF012 - a mutable default is what is tested


class Own:
    def __init__(self, name, age=3, tags=[]):  # noqa: B006 - the same
        self.name, self.age, self.tags = name, age, tags


class Named(NamedTuple):
    name: str
    age: int = 3
    tags: list[str] = []  # noqa: RUF012 - the same


class Keyed(TypedDict):
    name: str
    age: NotRequired[int]
    tags: NotRequired[list[str]]


class Model(msgspec.Struct, Generic[T]):
    item: T


CLASSES = [Data, Slots, Frozen, Made, Struct, Lean, Annotated, Own, Named]


@pytest.mark.parametrize("schema", CLASSES)
def test_every_kind_of_class(schema):
    """Setters chain in any order, defaults fill in, `make` does the same, and the object is of the class."""
    factory = builder(schema)
    for made in (
        factory.create().with_name("Ann").build(),
        factory().with_name("Ann").build(),
        factory.make(name="Ann"),
    ):
        assert type(made) is schema
        assert (made.name, made.age, made.tags) == ("Ann", 3, [])
    assert factory.create().with_tags(["a"]).with_name("Bob").build().tags == ["a"]


@pytest.mark.parametrize("schema", CLASSES)
def test_defaults_are_never_shared(schema):
    """Two objects, of one builder or of two, have lists of their own."""
    factory = builder(schema)
    made = factory.create().with_name("Ann")
    lists = [made.build().tags, made.build().tags, factory.make(name="a").tags, factory.make(name="b").tags]
    assert len(set(map(id, lists))) == 4
    lists[0].append("x")
    assert factory.make(name="c").tags == []


@pytest.mark.parametrize("schema", [*(cls for cls in CLASSES if cls is not Made), Keyed, ["name", "age"]])
def test_what_is_built_stays_as_it_is(schema):
    """A builder that goes on makes other objects: the one before keeps its values."""
    made = builder(schema).create().with_name("Ann").with_age(1)
    first = made.build()
    second = made.with_age(2).build()
    assert first is not second
    ages = [each["age"] if isinstance(each, dict) else each.age for each in (first, second)]
    assert ages == [1, 2]


@pytest.mark.parametrize("schema", [*CLASSES, Keyed])
def test_what_is_missing_is_named(schema):
    """By the builder and by `make`, and setting it then is enough."""
    factory = builder(schema)
    made = factory.create()
    with pytest.raises(UsageError, match="'name' is not set"):
        made.build()
    with pytest.raises(UsageError, match="'name' is not set"):
        factory.make()
    assert made.with_name("Ann").build()


def test_all_that_is_missing_is_named():
    """Not only the first, and a long list is cut."""
    with pytest.raises(UsageError, match="'a', 'c' are not set"):
        builder(["a", "b", "c"]).create().with_b(1).build()
    with pytest.raises(UsageError, match="and 90 more"):
        builder([f"f{number}" for number in range(100)]).make()


def test_what_is_unknown_is_named():
    """With the nearest field, in `set`, `make` and `template`; a setter that is not there is no attribute."""
    factory = builder(Data)
    for wrong in (
        lambda: factory.create().set("nmae", 1),
        lambda: factory.make(nmae=1),
        lambda: factory.template(nmae=1),
    ):
        with pytest.raises(UsageError, match=r"no field 'nmae' .did you mean 'name'"):
            wrong()
    with pytest.raises(UsageError, match="'x', 'y'"):
        factory.make(name="a", x=1, y=2)
    with pytest.raises(UsageError, match="no field 5"):
        factory.create().set(5, 1)
    with pytest.raises(AttributeError, match="with_nmae"):
        factory.create().with_nmae(1)


def test_optional_keys_are_left_out():
    """A TypedDict has only the keys that were set."""
    factory = builder(Keyed)
    assert factory.create().with_name("Ann").build() == {"name": "Ann"}
    assert factory.make(name="Ann", age=1) == {"name": "Ann", "age": 1}


def test_the_constructor_runs():
    """What it computes is there; what it raises comes through, and leaves the builder as it was."""
    made = builder(Made).create().with_name("Ann").with_seed(-1)
    with pytest.raises(ArithmeticError):
        made.build()
    assert made.with_seed(5).build().age == 6


def test_an_attribute_error_of_the_constructor_is_its_own():
    """It is not taken for a field that is not set."""

    class Breaks:
        def __init__(self, name):
            self.name = name.nothing

    with pytest.raises(AttributeError, match="nothing"):
        builder(Breaks).create().with_name("Ann").build()


def test_templates():
    """Presets are defaults, which `make` and setters override; mutable ones are copied; templates build on templates."""
    admins = builder(Data).template(age=40, tags=["admin"])
    assert admins.make(name="Ann") == Data("Ann", 40, ["admin"])
    assert admins.create().with_name("Bob").with_age(2).build() == Data("Bob", 2, ["admin"])
    one, other = admins.make(name="a"), admins.make(name="b")
    assert one.tags is not other.tags
    assert admins.template(name="Eve").make() == Data("Eve", 40, ["admin"])
    assert builder(["a", "b"]).template(b={"x": 1}).make(a=1) == {"a": 1, "b": {"x": 1}}


@pytest.mark.parametrize("validate", [False, True])
def test_a_schema_without_fields(validate):
    """There is one object to build, and no field to set."""

    class Nothing(msgspec.Struct):
        pass

    factory = builder(Nothing, validate=validate)
    assert factory.make() == factory.create().build() == Nothing()
    assert builder(Nothing, pooled=True).create().build() == Nothing()
    with pytest.raises(UsageError, match="It has no fields"):
        factory.make(x=1)


def test_reset():
    """All values are forgotten, and defaults are back."""
    made = builder(Data).create().with_name("Ann").with_age(1).reset()
    with pytest.raises(UsageError, match="'name' is not set"):
        made.build()
    assert made.reset().with_name("Bob").build() == Data("Bob")


def test_a_generic_schema():
    """Objects are of the class behind the brackets."""
    assert builder(Model[int]).make(item=3) == Model(3)
    assert builder(Model[int], validate=True).make(item=3) == Model(3)
    with pytest.raises(fb.InvalidError, match="item"):
        builder(Model[int], validate=True).make(item="x")


def test_what_is_printed():
    """A builder shows what is set, shortened; a factory what it builds."""
    made = builder(Data).create().with_name("x" * 1_000)
    assert repr(made).startswith("<builder of Data: name='xxx")
    assert len(repr(made)) < 100
    assert repr(builder(["a"]).create()) == "<builder of dict: nothing set>"
    assert repr(builder(Data)) == "<builder factory of Data: 3 fields>"


def test_kinds():
    """Builders are `Builder`s, factories `Factory`s, and a factory says its fields."""
    factory = builder(Data)
    assert isinstance(factory, Factory)
    assert isinstance(factory.create(), Builder)
    assert factory.fields == ("name", "age", "tags")


def test_factories_travel_and_builders_do_not():
    """A factory is made anew where it is unpickled, presets included; a builder says that it cannot be."""
    factory = pickle.loads(pickle.dumps(builder(Data, validate=True).template(age=9)))
    assert factory.make(name="Ann") == Data("Ann", 9)
    with pytest.raises(fb.InvalidError):
        factory.make(name=1)
    assert copy.deepcopy(builder(iter(["a", "b"]))).make(a=1, b=2) == {"a": 1, "b": 2}
    with pytest.raises(UsageError, match="cannot be pickled"):
        pickle.dumps(factory.create())


def test_a_factory_is_shared_between_threads():
    """Each thread has builders of its own, and no value crosses."""
    create = builder(["thread", "number"]).create
    wrong = []

    def work(thread):
        for number in range(2_000):
            made = create().with_thread(thread).with_number(number).build()
            if made != {"thread": thread, "number": number}:
                wrong.append(made)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_floor_is_lazy():
    """Its public names are listed, and each is there."""
    assert dir(fb) == sorted(fb.__all__)
    assert all(getattr(fb, name) for name in fb.__all__)


def test_a_preset_may_have_any_name():
    """A field called `self` is a field like others."""
    assert builder(["self", "presets"]).template(self=1, presets=2).make() == {"self": 1, "presets": 2}


def test_presets_of_kinds_of_lists_and_dicts_are_copied():
    """A deque, an ordered dict and a list of one's own are lists and dicts: no object shares them with the next."""
    factory = builder(["a", "b"]).template(a=collections.deque([1]), b=collections.OrderedDict(x=[1]))
    one = factory.make()
    one["a"].append(2)
    one["b"]["x"].append(2)
    assert factory.make() == {"a": collections.deque([1]), "b": {"x": [1]}}
