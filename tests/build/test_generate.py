from __future__ import annotations

import ast
import builtins
import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater.build import building, generate
from flatwater.build.schemas import read

HOSTILE = [
    "class", "build", "set", "reset", "create", "with_x", "x", "self", "value", "__class__", "__init__", "__debug__", "None",
    "a b", "x'; import os", '"""', "é", "e\u0301", "\n", "\\", "{}", "%s", "p0", "p1", "k0", "v0", "T", "U", "D0", "_more",
    "_more_", "o", "b", "lambda", "🙂", "refuse", "AttributeError",
]  # fmt: skip


def test_hostile_names_are_only_names():
    """Keywords, quotes, names of our own and of Python's are set and read back like any other."""
    factory = building.builder(HOSTILE)
    made = factory.create()
    for number, name in enumerate(HOSTILE):
        assert getattr(made, f"with_{name}")(number) is made
    expected = {name: number for number, name in enumerate(HOSTILE)}
    assert made.build() == expected
    assert factory.make(**expected) == expected
    fresh = factory()
    for name, value in expected.items():
        fresh.set(name, value)
    assert fresh.build() == expected


def test_no_name_gets_into_the_text(monkeypatch):
    """What is compiled is the same text for any names, and knows them by number only."""
    texts = []
    compiled = builtins.compile

    def spy(text, *rest, **more):
        if isinstance(text, str) and rest and rest[0] == "<flatwater builder>":
            texts.append(text)
        return compiled(text, *rest, **more)

    monkeypatch.setattr(builtins, "compile", spy)
    building.builder(["aaa", "bbb"])
    plain, texts = list(texts), texts.clear() or texts
    building.builder(["x'; import os", "__class__"])
    assert texts == plain
    assert all("import" not in text and "__" not in text.replace("__builtins__", "") for text in texts)
    for text in texts:
        ast.parse(text)


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=8, unique=True))
def test_any_names_are_safe(names):
    """Whatever the names are, values arrive under them and nowhere else."""
    factory = building.builder(names)
    values = {name: object() for name in names}
    assert factory.make(**values) == values
    made = factory()
    for name, value in values.items():
        made.set(name, value)
    assert made.build() == values


@given(st.lists(st.sampled_from([*HOSTILE, *keyword.kwlist]), min_size=1, max_size=6, unique=True))
def test_attributes_of_any_name(names):
    """The same for objects whose annotations have such names."""
    fields = [name for name in names if name not in {"__class__", "__init__"}]
    if not fields:
        return
    cls = type("Odd", (), {"__annotations__": dict.fromkeys(fields, int)})
    made = building.builder(cls).make(**dict.fromkeys(fields, 7))
    assert vars(made) == dict.fromkeys(fields, 7)


def test_ten_thousand_fields():
    """The most that is allowed works; each setter is its own."""
    names = [f"f{number}" for number in range(10_000)]
    factory = building.builder(names)
    made = factory.create()
    for number, name in enumerate(names):
        made.set(name, number)
    built = made.with_f9999("last").build()
    assert built["f9999"] == "last"
    assert built["f9998"] == 9998
    assert factory.make(**built) == built


def test_generated_code_sees_no_builtins():
    """Its globals have none but the two exceptions it catches."""
    schema = read(["id"])
    build = generate.life(schema, refuse=lambda made: None)["build"]
    assert set(build.__globals__["__builtins__"]) == {"AttributeError", "KeyError"}


def test_names_that_stand_for_others():
    """A field called like the placeholder of another is not taken for it, however often code is generated."""
    factory = building.builder(["p1", "p0", "k1"])
    assert factory.make(p1=1, p0=2, k1=3) == {"p1": 1, "p0": 2, "k1": 3}
    assert factory().with_p1(1).with_p0(2).with_k1(3).build() == {"p1": 1, "p0": 2, "k1": 3}


def test_errors_name_the_setter():
    """A setter that is called wrongly is named like the method it is."""
    made = building.builder(["id"]).create()
    with pytest.raises(TypeError, match="takes 2 positional arguments"):
        made.with_id(1, 2)
