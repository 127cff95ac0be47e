"""What is read and short by what it is for."""

from __future__ import annotations

import ast

import pytest

from flatwater.lint import short
from flatwater.lint.module import Module
from flatwater.lint.rule import Look

HEAD = "import hashlib, sys\n"


def first(text, kind):
    look = Look(Module(HEAD + text, "a.py"))
    return look, next(
        each for each in look.module.of(ast.Call) if isinstance(each.func, ast.Attribute) and each.func.attr == kind
    )


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("def f(a, known):\n    b = a.read()\n    if hashlib.sha256(b).hexdigest() != known: raise ValueError", True),
        ("def f(a):\n    b = a.read()\n    return hashlib.sha256(b).hexdigest()", False),
    ],
)
def test_a_digest_that_is_known(text, is_one):
    """It is compared in the same function."""
    look, call = first(text, "read")
    assert short.is_pinned(look, call) is is_one


@pytest.mark.parametrize(("text", "is_one"), [("x = sys.stdin.read()", True), ("def f(a): x = a.read()", False)])
def test_standard_input(text, is_one):
    """What somebody types or pipes in."""
    look, call = first(text, "read")
    assert short.is_standard_input(look, call) is is_one


@pytest.mark.parametrize(("text", "is_one"), [("def install_tool(a): a.read()", True), ("def f(a): a.read()", False)])
def test_tools(text, is_one):
    """Who fetches a tool says so."""
    look, call = first(text, "read")
    assert short.is_of_set_up(look, call) is is_one
