"""What keys are made of."""

from __future__ import annotations

import pytest

from flatwater.lint import keyed
from flatwater.lint.module import Module
from flatwater.lint.rule import Look


def last(text):
    module = Module(text, "a.py")
    return Look(module), module.tree.body[-1].value


@pytest.mark.parametrize(
    ("text", "is_one"), [("type(x)", True), ("x.__class__", True), ("cls", True), ("x.id", False), ("user_id", False)]
)
def test_classes(text, is_one):
    """A program has as many as it was written with."""
    look, node = last(text)
    assert keyed.is_of_a_class(look, node) is is_one


def test_no_key():
    """Nothing is of no class."""
    look, _node = last("x")
    assert not keyed.is_of_a_class(look, None)


def test_parts():
    """What a tuple is made of, and what its parts begin with."""
    look, node = last("(user.id, lang)")
    found = keyed.parts(look, node)
    assert {"user", "lang"} <= keyed.roots(found)
    assert "id" in {word for each in found for word in keyed.names(each)}
