"""What calls give, by tables."""

from __future__ import annotations

import pytest

from flatwater.lint import known
from flatwater.lint.module import Module
from flatwater.lint.values import Values


def test_bounds_lead_back():
    """What has a bound is known as the same without one."""
    assert all(known.BOUNDED[known.UNBOUNDED[some]] == some for some in known.UNBOUNDED)


def test_streams_of_somebody_are_streams():
    """What may be short, and what comes in batches, comes as a stream."""
    assert known.OPEN_ENDED <= known.STREAMS
    assert not known.STREAMS & set(known.UNBOUNDED)


MADE = {
    "import sqlite3\nx = sqlite3.connect('a')": "db.connection",
    "import sqlite3\nx = sqlite3.connect('a').cursor()": "db.cursor",
    "import sqlite3 as s\nx = s.connect('a').execute('SELECT 1').fetchall()": "rows.all",
    "x = open('a')": "file",
    "import json\nx = json.load(y)": "parsed",
    "from concurrent.futures import ThreadPoolExecutor as P\nx = P()": "executor",
    "x = unknown()": None,
}


@pytest.mark.parametrize(("text", "kind"), MADE.items(), ids=MADE)
def test_what_a_call_gives(text, kind):
    """By the name it was imported as."""
    module = Module(text, "a.py")
    found = Values(module).of(module.tree.body[-1].value)
    assert (found.kind if found else None) == kind


def test_the_same_by_other_names():
    """A faster library of the same form is the same; another function of its name is not."""
    assert known.is_same({"json", "ujson"}, "json")
    assert not known.is_same({"json", "pickle"}, "json")


def test_built_ins():
    """Names that every module has."""
    assert known.is_builtin("list")
    assert not known.is_builtin("json")
