"""Caches of functions."""

from __future__ import annotations

import pytest

from flatwater.lint import memos
from flatwater.lint.module import Module
from flatwater.lint.rule import Look

HEAD = "import functools, cachetools, async_lru\nfrom enum import Enum\nclass Kind(Enum): A = 1\n"
CACHES = {
    "functools.cache": True, "functools.lru_cache(maxsize=None)": True, "functools.lru_cache": False, "functools.lru_cache(maxsize=9)": False,
    "cachetools.cached({})": True, "cachetools.cached(cachetools.LRUCache(9))": False, "async_lru.alru_cache(maxsize=None)": True, "property": False,
}  # fmt: skip


@pytest.mark.parametrize(("text", "is_one"), CACHES.items())
def test_unbounded(text, is_one):
    """What drops nothing."""
    module = Module(f"{HEAD}x = {text}", "a.py")
    assert memos.is_unbounded(Look(module), module.tree.body[-1].value) is is_one


@pytest.mark.parametrize(
    ("text", "is_one"), [("bool", True), ("Kind", True), ("str", False), ("int", False), ("", False)]
)
def test_few(text, is_one):
    """Flags and the members of an enumeration have few values."""
    module = Module(f"{HEAD}def f(a{': ' if text else ''}{text}): pass", "a.py")
    assert memos.is_few(Look(module), module.tree.body[-1].args.args[0].annotation) is is_one


def test_a_cache_behind_a_name():
    """`memo = lru_cache(maxsize=None)` is the cache that it stands for."""
    module = Module(f"{HEAD}memo = functools.lru_cache(maxsize=None)\nx = memo", "a.py")
    assert memos.is_unbounded(Look(module), module.tree.body[-1].value)
    assert memos.is_cache(Look(module), module.tree.body[-1].value)


def test_a_size_that_is_none():
    """`float()` is no size without an end."""
    from flatwater.lint.linter import lint_text

    text = "from cachetools import Cache, cached\n@cached(Cache(maxsize={}))\ndef look_up(query): return query\n"
    assert lint_text(text.format("float()")) == []
    assert [each.code for each in lint_text(text.format("float('inf')"))] == ["FW302"]
