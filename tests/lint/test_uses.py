"""What is done with a value."""

from __future__ import annotations

import ast

import pytest

from flatwater.lint import uses
from flatwater.lint.module import Module


def of(text):
    """A file, and the call of `f` in it."""
    module = Module(text, "a.py")
    return module, next(each for each in module.of(ast.Call) if getattr(each.func, "id", "") == "f")


ITERATED = {
    "for x in f(): pass": True,
    "[x for x in f()]": True,
    "for n, x in enumerate(f()): pass": True,
    "map(g, f())": True,
    "async def g():\n    for x in await f(): pass": True,
    "for x in y: f()": False,
    "g(f())": False,
    "f()": False,
}


@pytest.mark.parametrize(("text", "is_iterated"), ITERATED.items(), ids=ITERATED)
def test_gone_over(text, is_iterated):
    """By a loop, a comprehension, or a call that goes over it."""
    module, call = of(text)
    assert uses.is_iterated(module, uses.around(module, call)) == is_iterated


NAMED = {
    "x = f()": "x",
    "x: int = f()": "x",
    "if (x := f()): pass": "x",
    "x = y = f()": None,
    "x.y = f()": None,
    "g(f())": None,
    "async def g():\n    x = await f()": "x",
}


@pytest.mark.parametrize(("text", "name"), NAMED.items(), ids=NAMED)
def test_its_name(text, name):
    """The one name that it is bound to."""
    module, call = of(text)
    found = uses.name_of(module, call)
    assert (found.id if found else None) == name


def test_later_places():
    """The value itself, and later uses of its name in the same function."""
    module, call = of("def a():\n    g(x)\n    x = f()\n    h(x)\n    for y in x: pass\ndef b():\n    return x")
    places = list(uses.places(module, call))
    assert places[0] is call
    assert sorted(each.lineno for each in places[1:]) == [4, 5]


def test_streams_of_what_is_in_memory():
    """By their makers' names, however they were imported."""
    for text, is_of_memory in (("io.BytesIO(a)", True), ("StringIO()", True), ("open(a)", False), ("a", False)):
        assert uses.is_of_memory(ast.parse(text, mode="eval").body) == is_of_memory
    assert not uses.is_of_memory(None)
