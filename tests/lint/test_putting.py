"""What is put into a queue."""

from __future__ import annotations

import ast

import pytest

from flatwater.lint import putting
from flatwater.lint.module import Module
from flatwater.lint.rule import Look


def put_in(text):
    look = Look(Module(text, "a.py"))
    (call,) = (
        each
        for each in look.module.of(ast.Call)
        if isinstance(each.func, ast.Attribute) and each.func.attr in {"put", "append"}
    )
    return look, call


@pytest.mark.parametrize(
    ("text", "goes"),
    [("def f(q):\n    while True: q.put(1)", True), ("def f(q, p):\n    for line in open(p): q.put(line)", True), ("def f(q):\n    q.put(1)", False)],
)  # fmt: skip
def test_a_loop_without_an_end(text, goes):
    """`while True`, and a loop over a stream."""
    assert putting.goes_on(*put_in(text)) is goes


def test_what_the_method_was_handed():
    """An argument of it; not what it makes itself."""
    assert putting.is_given(*put_in("class A:\n    def f(self, x): self.q.put(x)"))
    assert not putting.is_given(*put_in("class A:\n    def f(self): self.q.put(1)"))


def test_tasks():
    """Those that were begun in the call that puts them."""
    look, call = put_in("import asyncio\ndef f(q, x): asyncio.create_task(q.put(x))")
    assert putting.is_task(look, call)
    assert not putting.is_task(*put_in("def f(q, x): q.put(x)"))


@pytest.mark.parametrize(("text", "name"), [("f()", "f"), ("a.b()", "b"), ("f()()", "")])
def test_names(text, name):
    """Of a function, or a method."""
    assert putting.name_of(ast.parse(text).body[0].value.func) == name
