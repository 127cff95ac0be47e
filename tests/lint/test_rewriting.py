"""Expressions are written anew by their places, and imports stand where they can."""

from __future__ import annotations

import ast

import pytest

from flatwater.lint.fixes.change import Change
from flatwater.lint.module import Module
from flatwater.lint.rewriting import rewritten


@pytest.fixture
def halved():
    """A function: a text whose first product is its left side, with an import for that, and whether it was done."""

    def rewrite(text, needs=""):
        module = Module(text, "")
        node = next(each for each in ast.walk(module.tree) if isinstance(each, ast.BinOp))
        new, done = rewritten(module, [Change(node, node, lambda old: old.left, needs)])
        return new if done else None

    return rewrite


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x = a*b\n", "x = a\n"),
        ("x = 'é🙂', a * b  # é\n", "x = 'é🙂', a  # é\n"),
        ("x = (a  # one\n  * b)\r\ny = 1", "x = (a)\r\ny = 1"),
        (
            "\ufeffx = 1".removeprefix("\ufeff") + "\n\x0cif x:\n\ty = [\n  a * b,\n]",
            "x = 1\n\x0cif x:\n\ty = [\n  a,\n]",
        ),
        ("x = (a) * b", "x = (a)"),
        ("x = a*(b)if c else d", "x = a if c else d"),
    ],
)
def test_all_else_stays(halved, old, new):
    """Characters of several bytes in front, line ends of all kinds, brackets around."""
    assert halved(old) == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x = a * b\n", "import m\nx = a\n"),
        ("#!/bin/sh\n# coding: utf-8\n\nx = a * b", "#!/bin/sh\n# coding: utf-8\n\nimport m\nx = a"),
        ('"""Text."""\nx = a * b\n', '"""Text."""\n\nimport m\nx = a\n'),
        ('"""Text."""\nfrom __future__ import x\nimport y  # z\n\n\n@g\ndef f(): return a * b\n',
         '"""Text."""\nfrom __future__ import x\nimport y  # z\nimport m\n\n\n@g\ndef f(): return a\n'),
        ("from y import (\n    z,\n)\r\nx = a * b\r\n", "from y import (\n    z,\n)\r\nimport m\nx = a\r\n"),
        ("@g(a * b)\nclass A: pass\n", "import m\n@g(a)\nclass A: pass\n"),
    ],
)  # fmt: skip
def test_an_import_stands_at_the_top(halved, old, new):
    """Behind those that are there, and behind what must be first."""
    assert halved(old, "m") == new
    ast.parse(new)


@pytest.mark.parametrize(
    "text", ["import y; x = a * b\n", '"""Text."""; x = a * b\n', "from __future__ import y; x = a * b"]
)
def test_where_no_line_is_free_nothing_is_changed(halved, text):
    """A statement behind the last import has the same line."""
    assert halved(text, "m") is None
