"""Loops over a stream."""

from __future__ import annotations

import ast

import pytest

from flatwater.lint import rounds
from flatwater.lint.module import Module
from flatwater.lint.rule import Look

NOTHING = {
    "something computed": "def f(n):\n    while n := n - 1: pass",
    "a page that is not turned": "def f(c):\n    while True:\n        page = c.list(limit=9)",
    "a token that stays": "def f(c, token):\n    while True:\n        page = c.list(page_token=token)",
    "a read of everything": "def f(box):\n    while True:\n        data = box.take()",
}
FOUND = {
    "a walrus": ("import sqlite3\ndef f(c: sqlite3.Cursor):\n    while rows := c.fetchmany(9): pass", "batches", "rows"),
    "a first statement": (
        "import sqlite3\ndef f(c: sqlite3.Cursor):\n    while True:\n        rows = c.fetchmany(9)\n        if not rows: break", "batches", "rows",
    ),
    "chunks of a file": ("def f(p):\n    with open(p) as a:\n        while part := a.read(9): pass", "file", "part"),
    "what a peer sends": ("def f(s):\n    while True:\n        part = s.recv(9)", "http.reading", "part"),
    "pages": ("def f(c):\n    t = None\n    while True:\n        page = c.list(cursor=t)\n        t = page['next']", "batches", "page"),
    "pages of an address": (
        "def f(c):\n    t = 1\n    while True:\n        page = c.get('/a', params={'page': t}).json()\n        t += 1", "batches", "page",
    ),
    "awaited": ("async def f(c):\n    t = None\n    while True:\n        page = await c.list(cursor=t)\n        t = page.next", "batches", "page"),
}  # fmt: skip


def whiles(text):
    look = Look(Module(text, "a.py"))
    return [each for each in rounds.rounds(look) if isinstance(each.loop, ast.While)]


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_no_stream(text):
    """What nobody knows to give one part after another."""
    assert whiles(text) == []


@pytest.mark.parametrize(("text", "kind", "name"), FOUND.values(), ids=FOUND)
def test_what_is_drawn(text, kind, name):
    """The stream, and the name of its parts."""
    (found,) = whiles(text)
    assert (found.over.kind, found.drawn) == (kind, {name})


def test_a_for():
    """A loop over a value that is known is one, too."""
    (found,) = rounds.rounds(Look(Module("for line in open(p): print(line)", "a.py")))
    assert (found.over.kind, found.drawn) == ("file", {"line"})


@pytest.mark.parametrize(
    ("test", "ends"), [("not part", True), ("len(part) < 9", True), ("part[0] > most", False), ("done", False)]
)
def test_the_end_of_the_stream(test, ends):
    """A break where nothing more comes is none that bounds it."""
    (found,) = whiles(f"def f(s, most, done):\n    while True:\n        part = s.recv(9)\n        if {test}: break")
    (stop,) = (each for each in ast.walk(found.loop) if isinstance(each, ast.Break))
    assert rounds.ends_with_stream(found, stop) is ends
