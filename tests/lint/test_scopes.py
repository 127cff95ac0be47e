"""What names are bound to."""

from __future__ import annotations

import pytest

from flatwater.lint.module import Module

HOWS = {
    "assigned": ("x = 1", ["is"]),
    "annotated": ("x: int = 1", ["is"]),
    "twice": ("x = 1\nx = 2", ["is", "is"]),
    "augmented": ("x = 1\nx += 1", ["is", "aug"]),
    "several at once": ("x, y = 1, 2", ["is"]),
    "a part": ("x, y = f()", ["part"]),
    "a starred part": ("x, *y = 1, 2", ["part"]),
    "the rest": ("y, *x = f()", ["part"]),
    "a loop": ("for x in y: pass", ["each"]),
    "an asynchronous loop": ("async def f():\n    global x\n    async for x in y: pass", ["each"]),
    "a with": ("with y as x: pass", ["enters"]),
    "an import": ("import x", ["import"]),
    "an import as": ("import y as x", ["import"]),
    "an import from": ("from y import x", ["import"]),
    "a function": ("def x(): pass", ["def"]),
    "a class": ("class x: pass", ["class"]),
    "an error": ("try: pass\nexcept E as x: pass", ["except"]),
    "deleted": ("x = 1\ndel x", ["is", "del"]),
    "a walrus": ("(x := 1)", ["is"]),
    "a walrus in a comprehension": ("[x := y for y in z]", ["is"]),
    "declared global": ("def f():\n    global x\n    x = 1", ["is"]),
    "in a function only": ("def f():\n    x = 1", []),
    "in a comprehension only": ("[x for x in y]", []),
    "an attribute": ("x.y = 1", []),
}


@pytest.mark.parametrize(("text", "hows"), HOWS.values(), ids=HOWS)
def test_a_name_of_a_module(text, hows):
    """Each place that binds it is known, with how."""
    assert [each.how for each in Module(text, "a.py").scope.lookup("x")] == hows


def test_where_an_import_is_from():
    """The dotted name, with dots in front for what is near."""
    scope = Module(
        "import a.b\nimport a.b as c\nfrom d.e import f as g\nfrom .. import h\nfrom .i import j", "a.py"
    ).scope
    assert [scope.lookup(each)[0].origin for each in "acghj"] == ["a", "a.b", "d.e.f", "..h", ".i.j"]


def test_parameters():
    """They are of their function, with their defaults and annotations."""
    module = Module("def f(a, b: int = 1, /, c=2, *d, e, g=3, **h): pass", "a.py")
    names = module.own_scope(module.tree.body[0]).names
    assert {name: bound[0].how for name, bound in names.items()} == {
        **dict.fromkeys("abceg", "param"), **dict.fromkeys("dh", "part"),
    }  # fmt: skip
    assert [getattr(names[each][0].value, "value", None) for each in "abceg"] == [None, 1, 2, None, 3]
    assert names["b"][0].annotation.id == "int"


def test_a_class_hides_its_names_from_its_methods():
    """As in Python: a method sees the module's."""
    module = Module("x = 1\nclass A:\n    x = 2\n    y = x\n    def f(self):\n        return x", "a.py")
    owner = module.tree.body[1]
    method = owner.body[2]
    assert [each.value.value for each in module.own_scope(method).lookup("x")] == [1]
    assert [each.value.value for each in module.own_scope(owner).lookup("x")] == [2]


def test_nonlocal():
    """It binds in the function around."""
    module = Module("def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = 2", "a.py")
    outer = module.tree.body[0]
    assert [each.value.value for each in module.own_scope(outer).lookup("x")] == [1, 2]


def test_a_built_in():
    """It is bound nowhere."""
    assert Module("list()", "a.py").scope.lookup("list") == []
