"""Where a list of a stream stands."""

from __future__ import annotations

import ast

import pytest

from flatwater.lint.fixes import listing
from flatwater.lint.module import Module
from flatwater.lint.rule import Look


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("for x in f(): pass", ast.For), ("for i, x in enumerate(f(), 1): pass", ast.For), ("[x for x in f()]", ast.ListComp),
        ("{x for x in f()}", ast.SetComp), ("sum(x for x in f())", ast.GeneratorExp), ("sum((x for x in f()), 3)", None),
        ("any(x for x in f())", None), ("g(x for x in f())", None), ("[x for y in z for x in f()]", None), ("for x in g(f()): pass", None),
        ("y = f()", None), ("for x in enumerate(y, f()): pass", None), ("for x in f() or []: pass", None), ("sorted((x for x in f()), key=g)", None),
        ("async def h():\n    [x async for x in f()]", None), ("async def h():\n    async for x in f(): pass", None),
    ],
)  # fmt: skip
def test_the_place_is_a_loop_over_nothing_else(text, kind):
    """Or a comprehension that somebody goes over at once, and whole."""
    module = Module(text, "")
    call = next(each for each in module.of(ast.Call) if isinstance(each.func, ast.Name) and each.func.id == "f")
    place = listing.place_of(Look(module), call)
    assert (type(place) if place else None) is kind
