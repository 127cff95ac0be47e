"""Lists for one figure."""

from __future__ import annotations

import pytest

HEAD = """
"""

NOTHING = {
    "a generator": "def f(rows):\n    return sum(row.a for row in rows)",
    "a list that is there": "def f(rows):\n    return sum(rows)",
    "lists that become one": "def f(path):\n    with open(path) as file:\n        return sum([line.split() for line in file], [])",
    "counted and used": "def f(path):\n    rows = [line for line in open(path)]\n    print(len(rows))\n    return rows",
    "a list of a list that is counted": "def f(rows):\n    return len(list(rows))",
    "joined": "def f(rows):\n    return ','.join([str(r) for r in rows])",
    "what is written down": "total = sum([x * 2 for x in (1, 2, 3)])",
    "somebody's sum": "def f(rows, sum):\n    return sum([row for row in rows])",
}

FOUND = {
    "a count": ("def f(path):\n    with open(path) as file:\n        return len(list(file))", "likely"),
    "a list that is only counted": (
        "def f(path):\n    hits = [line for line in open(path) if 'a' in line]\n    print(len(hits))\n    return len(hits)",
        "likely",
    ),
    "a sum": ("def f(path):\n    with open(path) as file:\n        return sum([len(line) for line in file])", "sure"),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW205", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW205", HEAD + text)] == [confidence]
