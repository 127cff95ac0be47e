"""Places of nodes in characters."""

from __future__ import annotations

import ast

import pytest

from flatwater.lint.fixes.change import span


@pytest.mark.parametrize("text", ["x = (a,\n  'é🙂', [b])", "'é' + a", "\tif_ = é.ü(a)[\n1]"])
def test_a_place_is_in_characters(text):
    """What stands there is the node, whatever stands in front of it."""
    lines = text.strip("\t").split("\n")
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.expr):
            place = span(lines, node)
            inside = lines[place.line - 1 : place.end_line]
            inside[-1] = inside[-1][: place.end_column]
            inside[0] = inside[0][place.column :]
            assert ast.dump(ast.parse("(" + "\n".join(inside) + ")", mode="eval").body).replace(
                "Load", "Store"
            ) == ast.dump(node).replace("Load", "Store")
