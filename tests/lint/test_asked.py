"""What something must be by what is asked of it."""

from __future__ import annotations

import ast

import pytest

from flatwater.lint.module import Module
from flatwater.lint.values import Values

HEAD = "from sqlalchemy import select\n"
KINDS = {
    "a select": ("d.scalars(select(A))", "sa.session"),
    "a select that has a name": ("d.execute(q)", "sa.session"),
    "SQL": ("d.execute('SELECT 1')", "db.cursor"),
    "SQL that has a name": ("d.execute(SQL)", "db.cursor"),
    "a model": ("d.query(A)", "sa.session"),
    "a column of a model": ("d.query(A.B)", "sa.session"),
    "a text": ("d.query('a')", ""),
    "nothing": ("d.query()", ""),
    "a command": ("d.execute('ls')", ""),
    "another method": ("d.send(select(A))", ""),
}


@pytest.mark.parametrize(("text", "kind"), KINDS.values(), ids=KINDS)
def test_of_a_call(text, kind):
    """The kind of what has the method; "" where nothing says so."""
    module = Module(f"{HEAD}SQL = 'select 1'\nq = select(A)\ndef f(d):\n    {text}\n", "a.py")
    values = Values(module)
    call = module.tree.body[-1].body[0].value
    assert isinstance(call.func, ast.Attribute)
    first = values.of(call.args[0]) if call.args else None
    assert values._asked.of_call(call.func, call, first.kind if first else "") == kind


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("User.query.all()", True), ("user.query.all()", False), ("User.query.x()", False), ("User.query", False)],
)
def test_the_query_of_a_model(text, is_one):
    """A class, and a call behind it as queries have."""
    module = Module(text, "a.py")
    (node,) = (each for each in ast.walk(module.tree) if isinstance(each, ast.Attribute) and each.attr == "query")
    assert Values(module)._asked.is_query_of_model(node) is is_one
