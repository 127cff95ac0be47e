"""Small questions about a tree."""

from __future__ import annotations

import ast

import pytest

from flatwater.lint.nodes import is_none, own_nodes, text

TEXTS = {
    "'a'": "a",
    "f'a {b} c'": "a ? c",
    "'a' + 'b'": "ab",
    "'a' + b": "a?",
    "b + 'a'": "?a",
    "'a %s' % b": "a %s",
    "'a {}'.format(b)": "a {}",
    "text('a')": "a",
    "text('a', 1)": None,
    "b": None,
    "1": None,
    "a + b": None,
}


@pytest.mark.parametrize(("written", "said"), TEXTS.items(), ids=TEXTS)
def test_words(written, said):
    """What is written is known, what is filled in is not."""
    assert text(ast.parse(written, mode="eval").body) == said


def test_what_runs_with_a_function():
    """Not the bodies of functions and classes inside it; they themselves are made."""
    function = ast.parse("def f(a=d):\n    b\n    def g(): c\n    class H: e\n    return lambda: i").body[0]
    names = {each.id for each in own_nodes(function) if isinstance(each, ast.Name)}
    assert names == {"b", "d"}


def test_nothing():
    """No node, or None."""
    assert is_none(None)
    assert is_none(ast.parse("None", mode="eval").body)
    assert not is_none(ast.parse("0", mode="eval").body)
