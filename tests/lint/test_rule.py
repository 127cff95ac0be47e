"""What a rule is."""

from __future__ import annotations

import ast
import re

import pytest

from flatwater.lint.module import Module
from flatwater.lint.rule import Look
from flatwater.lint.rules import RULES


def test_in_order():
    """Codes and names are each rule's own, and come in order."""
    codes = [each.code for each in RULES]
    assert codes == sorted(set(codes))
    assert len({each.name for each in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda each: each.code)
def test_its_form(rule):
    """A code, a name in words, a sentence, and a file that is called so."""
    assert re.fullmatch(r"FW[1-6]\d\d", rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)
    assert rule.summary.endswith(".")
    assert rule.check.__module__.rpartition(".")[2] == f"{rule.code.lower()}_{rule.name.replace('-', '_')}"


@pytest.mark.parametrize("rule", RULES, ids=lambda each: each.code)
def test_nothing_in_nothing(rule):
    """An empty file has no findings."""
    assert list(rule.check(Look(Module("", "a.py")))) == []


def test_calls_of_methods():
    """By their names, whatever they are called on."""
    look = Look(Module("a.b()\nb()\nc.d.b(1)\na.c()", "a.py"))
    assert [call.lineno for call, _func in look.method_calls("b")] == [1, 3]
    assert isinstance(next(look.method_calls("c"))[1], ast.Attribute)


def test_origins():
    """A name leads to what it was imported as."""
    look = Look(Module("import json as j\nj.load(f)\nlist(x)", "a.py"))
    assert [look.origin(call.func) for call in look.module.of(ast.Call)] == ["json.load", "list"]
