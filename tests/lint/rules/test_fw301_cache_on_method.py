"""Caches that keep the objects of their methods."""

from __future__ import annotations

import pytest

HEAD = """
import enum
import functools
from dataclasses import dataclass
"""

NOTHING = {
    "an object for a run": "class A:\n    @functools.cache\n    def f(self): return 1\ndef g(path):\n    return A(path).f()",
    "said once": "import functools\nclass Log:\n    @functools.lru_cache(None)\n    def warning_once(self, message): print(message)",
    "of a function": "@functools.cache\ndef f(user_id): return user_id",
    "a property of the object": "class A:\n    @functools.cached_property\n    def rows(self): return []",
    "a static method": "class A:\n    @staticmethod\n    @functools.cache\n    def f(user_id): return user_id",
    "of the class": "class A:\n    @classmethod\n    @functools.cache\n    def f(cls, user_id): return user_id",
    "an enum": "class A(enum.Enum):\n    ONE = 1\n    @functools.cache\n    def f(self, user_id): return user_id",
    "somebody's cache": "def cache(f): return f\nclass A:\n    @cache\n    def f(self, user_id): return user_id",
    "a few of their own data": "class Text:\n    def __init__(self, text): self.text = text\n    @functools.lru_cache(maxsize=8)\n    def words(self): return self.text.split()",
    "one service": "class Service:\n    def __init__(self, db): self.db = db\n    @functools.cache\n    def tables(self): return self.db.tables()",
    "images of machines": "class A:\n    @functools.cache\n    def get_image_tag(self, image_uri): return image_uri",
    "one object at import": "class A:\n    @functools.cache\n    def f(self, user_id): return user_id\nONE = A()",
}

FOUND = {
    "objects made again and again": (
        "class A:\n    @functools.cache\n    def f(self): return 1\ndef g(paths):\n    for path in paths: print(A(path).f())",
        "sure",
    ),
    "asked with what users bring": (
        "class Resolver:\n    def __init__(self, reader): self.reader = reader\n    @functools.cache\n    def country(self, ip): return self.reader[ip]",
        "likely",
    ),
    "objects with data of their own": (
        "class Report:\n    def __init__(self, rows): self.rows = rows\n    @functools.lru_cache\n    def totals(self): return sum(self.rows)",
        "likely",
    ),
    "by a name of the module": (
        "memo = functools.lru_cache(maxsize=4096)\nclass Call:\n    def __init__(self, payload): self.payload = payload\n    @memo\n    def size(self): return len(self.payload)",
        "likely",
    ),
    "of a dataclass": (
        "@dataclass(frozen=True)\nclass A:\n    a: int\n    @functools.cache\n    def f(self): return 1",
        "sure",
    ),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW301", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW301", HEAD + text)] == [confidence]


def test_a_bound_keeps_some(said):
    """It is a doubt, which is not told by default."""
    text = HEAD + "class A:\n    @functools.lru_cache(maxsize=8)\n    def f(self, user_id): return user_id"
    assert said("FW301", text) == []
    assert [how for _line, how in said("FW301", text, "maybe")] == ["maybe"]
