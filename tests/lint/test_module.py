"""One parsed file."""

from __future__ import annotations

import ast

import pytest

from flatwater.lint.module import Module

TEXT = """
import os.path as p, json
from .near import thing
from far.away import *

class A:
    def method(self, x=outer):
        return [y for y in x if y]

def f(a):
    for each in a:
        while each:
            g(each)
        else:
            h(each)
    return lambda z: z
"""


@pytest.fixture
def module():
    """A file with classes, functions, loops and imports."""
    return Module(TEXT, "a.py")


def name(module, text, nth=0):
    return [each for each in module.of(ast.Name) if each.id == text][nth]


def test_every_node_is_below_its_parent(module):
    """All nodes but the tree itself stand below another; operators and contexts are none."""
    wanted = {
        child
        for node in ast.walk(module.tree)
        for child in ast.iter_child_nodes(node)
        if not isinstance(child, ast.expr_context | ast.operator | ast.boolop | ast.cmpop | ast.unaryop)
    }
    assert set(module.above) == wanted
    assert all(
        module.above[child] is node
        for node in ast.walk(module.tree)
        for child in ast.iter_child_nodes(node)
        if child in wanted
    )


def test_of_a_kind(module):
    """Nodes of a type come in the order of the text."""
    lines = [each.lineno for each in module.of(ast.Call)]
    assert lines == sorted(lines) == [13, 15]
    assert module.of(ast.Match) == []


def test_imports(module):
    """First parts of absolute imports, and what a star is taken from."""
    assert module.imports == {"os", "json", "far"}
    assert module.stars == {"far.away"}


def test_scopes(module):
    """A default is evaluated outside of its function, a body inside; a comprehension has its own, but for its first iterable."""
    method = next(each for each in module.of(ast.FunctionDef) if each.name == "method")
    assert isinstance(module.scope_of(name(module, "outer")).node, ast.ClassDef)
    assert module.function_of(name(module, "outer")) is None
    assert module.function_of(name(module, "x")) is method
    assert isinstance(module.scope_of(name(module, "y")).node, ast.ListComp)
    assert isinstance(module.function_of(name(module, "z")), ast.Lambda)


def test_the_scope_of_names_is_that_of_their_parents(module):
    """What the walk notes is what going up would find."""
    noted = {each: module.scope_of(each) for each in module.of(ast.Name)}
    module._scope_of_names.clear()
    assert noted == {each: module.scope_of(each) for each in noted}


def test_classes(module):
    """Methods are of their class, functions of none."""
    assert module.class_of(name(module, "x")).name == "A"
    assert module.class_of(name(module, "a")) is None


def test_loops(module):
    """What a loop runs again and again: its body, not its iterable, and not what comes after it."""
    assert [type(each) for each in module.loops_of(name(module, "g"))] == [ast.While, ast.For]
    assert [type(each) for each in module.loops_of(name(module, "h"))] == [ast.For]
    assert module.loops_of(name(module, "a")) == []


def test_lines():
    """They are Python's: neither a form feed nor a line separator ends one."""
    assert Module("a = 1\r\nb = 2\r\f\nc = '\u2028'", "a.py").lines == ["a = 1", "b = 2", "\f", "c = '\u2028'"]


@pytest.mark.skipif(not hasattr(ast, "TypeAlias"), reason="from Python 3.12 on")
def test_type_aliases():
    """The name of one is a node like others."""
    module = Module("type A = list[int]", "a.py")
    assert [each.id for each in module.of(ast.Name)] == ["A", "list", "int"]


@pytest.mark.parametrize("text", ["x = = 1", "x = '\ud800'", "x = 1\0"])
def test_what_is_no_python(text):
    """It raises what the parser does."""
    with pytest.raises((SyntaxError, ValueError)):
        Module(text, "a.py")
