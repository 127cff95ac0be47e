"""Caches without a bound."""

from __future__ import annotations

import pytest

HEAD = """
import enum
import functools
"""

NOTHING = {
    "said once, in other letters": "@functools.cache\ndef logErrorOnce(message): print(message)",
    "what nobody knows": "@functools.cache\ndef load(hardware_key): return hardware_key",
    "files and devices": "@functools.cache\ndef digest(source_path): return source_path\n@functools.cache\ndef tensor(text, device): return text",
    "parts of the program": "@functools.cache\ndef compile_path(path): return path",
    "a bound": "@functools.lru_cache(maxsize=100)\ndef f(user_id): return user_id",
    "the bound of its own": "@functools.lru_cache\ndef f(user_id): return user_id",
    "no arguments": "@functools.cache\ndef f(): return 1",
    "what code writes down": "@functools.cache\ndef f(language): return language",
    "classes": "@functools.cache\ndef f(cls: type): return cls",
    "flags": "@functools.cache\ndef f(key: bool): return key",
    "a cache of one call": "def g():\n    @functools.cache\n    def f(user_id): return user_id\n    return f(1)",
    "members of an enum": "class Colour(enum.Enum):\n    RED = 1\n@functools.cache\ndef name_of(colour: Colour): return colour.name",
    "asked with what code writes down": "@functools.cache\ndef load(url): return url\nload('http://a')\nload('http://b')",
    "a pool for each server": "@functools.cache\ndef connection_pool(url, master): return url",
    "a name of one call": "def g(slow):\n    def f(url): return url\n    quick = functools.lru_cache(maxsize=None)(f)\n    return quick('a')",
    "a dict with a bound": "import cachetools\n@cachetools.cached(cachetools.LRUCache(maxsize=100))\ndef f(user_id): return user_id",
    "a memory of its own that is emptied": "def memoize(fn):\n    store = {}\n    def inner(*args):\n        if len(store) > 100: store.clear()\n        store[args] = fn(*args)\n        return store[args]\n    return inner\n@memoize\ndef f(user_id): return user_id",
    "another decorator": "def permission(name): return lambda f: f\n@permission(None)\ndef f(user_id): return user_id",
}

FOUND = {
    "of users": ("@functools.cache\ndef f(user_id): return user_id", "likely"),
    "written out": ("@functools.lru_cache(maxsize=None)\ndef f(url, day): return url", "likely"),
    "with how it is done": ("@functools.cache\ndef render(username, size): return username", "likely"),
    "called with a request": (
        "@functools.cache\ndef f(what): return what\ndef view(request): return f(request.args['what'])",
        "likely",
    ),
    "of the object": (
        "class A:\n    def __init__(self): self.match = functools.lru_cache(maxsize=None)(self._match)\n    def _match(self, text): return text",
        "likely",
    ),
    "a coroutine": (
        "from async_lru import alru_cache\n@alru_cache(maxsize=None)\nasync def f(user_id): return user_id",
        "likely",
    ),
    "a plain dict": ("import cachetools\n@cachetools.cached(cache={})\ndef f(user_id): return user_id", "likely"),
    "written by hand": (
        "def memoize(fn):\n    store = {}\n    def inner(*args):\n        if args not in store: store[args] = fn(*args)\n        return store[args]\n    return inner\n@memoize\ndef f(user_id): return user_id",
        "likely",
    ),
    "by a call": ("def slow(text): return text\nquick = functools.lru_cache(maxsize=None)(slow)", "likely"),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW302", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW302", HEAD + text)] == [confidence]


def test_of_what_has_no_name_of_data(said):
    """It is a doubt, which is not told by default."""
    text = HEAD + "@functools.cache\ndef f(language): return language"
    assert said("FW302", text) == []
    assert [how for _line, how in said("FW302", text, "maybe")] == ["maybe"]


def test_a_few_answers_are_no_doubt(said):
    """Of flags and members of an enum nothing is said, also when doubts are asked for."""
    text = "class Colour(enum.Enum):\n    RED = 1\n@functools.cache\ndef f(colour: Colour, on: bool): return colour"
    assert said("FW302", HEAD + text, "maybe") == []
