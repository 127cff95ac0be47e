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
    "another decorator": "def permission(name): return lambda f: f\n@permission(None)\ndef f(user_id): return user_id",
}

FOUND = {
    "of users": ("@functools.cache\ndef f(user_id): return user_id", "likely"),
    "written out": ("@functools.lru_cache(maxsize=None)\ndef f(url, day): return url", "likely"),
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
