"""What is put into collections, and taken out."""

from __future__ import annotations

import ast

import pytest

from flatwater.lint.growing import added, is_empty, is_same, is_shrunk, names_in


def expression(text):
    return ast.parse(text, mode="eval").body


def first(text):
    """The statement, or its expression."""
    statement = ast.parse(text).body[0]
    return statement.value if isinstance(statement, ast.Expr) else statement


ADDED = ["x.append(y)", "x.add(y)", "x[y] = z", "x.extend(y)", "x += [y]", "x.setdefault(y, z)", "x.update(y)"]
NOT = ["x.pop()", "x = y", "f(x)", "x.y", "x[0]", "del x[y]"]


@pytest.mark.parametrize("text", ADDED)
def test_put_into(text):
    """The collection is known, however something is put into it."""
    found = added(first(text))
    assert found is not None
    assert is_same(found.target, expression("x"))


@pytest.mark.parametrize("text", NOT)
def test_not_put_into(text):
    """Anything else adds nothing."""
    assert added(first(text)) is None


SHRUNK = ["x.pop()", "x.clear()", "del x[y]", "x.discard(y)", "self.x.pop(0)"]


@pytest.mark.parametrize("text", SHRUNK)
def test_taken_out(text):
    """It is seen where something goes again, from the same collection only."""
    target = expression("self.x" if "self" in text else "x")
    assert is_shrunk(ast.walk(ast.parse(text)), target)
    assert not is_shrunk(ast.walk(ast.parse(text)), expression("other"))


def test_the_same_collection():
    """Names and attributes are compared by what is written."""
    assert is_same(expression("self.x"), expression("self.x"))
    assert not is_same(expression("self.x"), expression("x"))


def test_names():
    """All that an expression is made of."""
    assert set(names_in(expression("f(a.b, c[d])"))) >= {"a", "c", "d"}


@pytest.mark.parametrize(
    ("text", "empty"), [("[]", True), ("{}", True), ("set()", True), ("dict()", True), ("[1]", False), ("f()", False)]
)
def test_nothing_in_it(text, empty):
    """A collection that begins with nothing."""
    assert is_empty(expression(text)) == empty
