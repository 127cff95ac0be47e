"""Defaults that are added to."""

from __future__ import annotations

import pytest

HEAD = """
"""

NOTHING = {
    "one that each call brings": "def chunks(src, dst=[]):\n    dst.append(src)\ndef f(src):\n    out = []\n    chunks(src, out)\n    return out",
    "one that is filled once": "def look_up(name, names={}):\n    if not names:\n        for each in all_names(): names[each] = 1\n    return names[name]",
    "kept on purpose": "def f(name, _cache={}):\n    _cache[name] = 1\n    return _cache[name]",
    "None": "def f(row, rows=None):\n    rows = rows or []\n    rows.append(row)",
    "only read": "def f(row, rows=[]):\n    return row in rows",
    "a tuple": "def f(row, rows=()):\n    return (*rows, row)",
    "a key that is written down": "def f(given={}):\n    given['a'] = 1\n    return given",
    "keys of a list that is written down": "def f(read, given={}):\n    for name in ['train', 'valid']: given[name] = read(name)",
    "keys that are there": "def f(given={}):\n    for name in given: given[name] = str(given[name])",
    "a function inside of another": "def f(tree):\n    def walk(node, found=[]):\n        found.append(node)\n        return found\n    return walk(tree)",
    "options": "def f(name, value, kwargs={}):\n    kwargs[name] = value\n    return kwargs",
    "emptied": "def f(row, rows=[]):\n    rows.append(row)\n    rows.clear()",
}

FOUND = {
    "one that a call leaves out": (
        "def chunks(src, dst=[]):\n    dst.append(src)\n    return dst\ndef f(src): return chunks(src)",
        "sure",
    ),
    "a list": ("def f(row, rows=[]):\n    rows.append(row)\n    return rows", "sure"),
    "a dict": ("def f(key, kept={}):\n    kept[key] = 1\n    return kept", "sure"),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW305", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW305", HEAD + text)] == [confidence]
