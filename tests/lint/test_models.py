"""Classes that stand for tables."""

from __future__ import annotations

import ast

import pytest

from flatwater.lint.finding import Confidence
from flatwater.lint.models import Models
from flatwater.lint.module import Module
from flatwater.lint.values import Values

DJANGO = {
    "from django.db import models\nclass A(models.Model): pass\nA": ("A", Confidence.SURE),
    "from django.db import models\nclass B(models.Model): pass\nclass A(B): pass\nA": ("A", Confidence.SURE),
    "from shop.models import A\nA": ("A", Confidence.SURE),
    "import django\nfrom shop import A\nA": ("A", Confidence.LIKELY),
    "from shop import A\nA": None,
    "class A: pass\nA": None,
}
PEEWEE = {
    "import peewee\nclass B(peewee.Model): pass\nclass A(B): pass\nA": True,
    "import peewee\nfrom shop.models import A\nA": True,
    "import peewee\nfrom shop import A\nA": False,
    "import peewee\nclass A(B): pass\nclass B(A): pass\nA": False,
    "from shop.models import A\nA": False,
}


def asked(text):
    module = Module(text, "a.py")
    return Models(module, Values(module).origin), module.tree.body[-1].value


@pytest.mark.parametrize(("text", "found"), DJANGO.items())
def test_models_of_django(text, found):
    """By a base, by a module of models, or by an import beside Django."""
    models, node = asked(text)
    assert models.of_django(node) == found


@pytest.mark.parametrize(("text", "is_one"), PEEWEE.items())
def test_models_of_peewee(text, is_one):
    """By a base, also of classes that are made of each other, or by a module of models."""
    models, node = asked(text)
    assert models.is_of_peewee(node) is is_one


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("import django\norder.line_set.all()", True),
        ("import django\norder.line_set.add(1)", False),
        ("order.line_set.all()", False),
        ("import django\norder.lines.all()", False),
    ],
)
def test_rows_that_point_at_one(text, is_one):
    """Its manager is told by its name and by what is asked of it."""
    models, call = asked(text)
    assert isinstance(call, ast.Call)
    assert models.is_reverse_manager(call.func.value) is is_one
