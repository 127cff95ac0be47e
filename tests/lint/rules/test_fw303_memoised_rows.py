"""Rows that are kept for later."""

from __future__ import annotations

import pytest

HEAD = """
import sqlite3
from functools import cached_property
from sqlalchemy import select
from sqlalchemy.orm import Session

class Order: pass
"""

NOTHING = {
    "asked for each time": "class A:\n    def rows(self, s: Session):\n        return s.scalars(select(Order)).all()",
    "a limit": "class A:\n    def __init__(self, s: Session): self.s = s\n    @cached_property\n    def rows(self): return self.s.scalars(select(Order).limit(5)).all()",
    "a number": "class A:\n    def __init__(self, c: sqlite3.Connection): self.c = c\n    @cached_property\n    def size(self): return self.c.execute('SELECT COUNT(*) FROM t').fetchone()[0]",
    "one value in a global": "from app.db import SessionLocal\nfrom app.models import Setting\n_MAX = None\ndef f():\n    global _MAX\n    if _MAX is None:\n        with SessionLocal() as db:\n            _MAX = db.query(Setting.value).scalar()\n    return _MAX",
    "not asked for": "from app.db import SessionLocal\nfrom app.models import Article\n_ALL = None\ndef f():\n    with SessionLocal() as db:\n        _ALL = db.query(Article).all()\n    return len(_ALL)",
    "a table of a few": "_ALL = None\ndef f(c: sqlite3.Connection):\n    global _ALL\n    if _ALL is None: _ALL = c.execute('SELECT code, name FROM countries').fetchall()\n    return _ALL",
    "a part of a table": "class A:\n    def __init__(self, c: sqlite3.Connection): self.c, self.rows = c, None\n    def f(self):\n        if self.rows is None: self.rows = self.c.execute('SELECT street FROM lanes WHERE city = ?', (1,)).fetchall()\n        return self.rows",
    "as many as there are kinds": "class A:\n    def __init__(self, c: sqlite3.Connection): self.c, self.rows = c, None\n    def f(self):\n        if self.rows is None: self.rows = self.c.execute('SELECT DISTINCT kind FROM spectra').fetchall()\n        return self.rows",
    "the first of a table": "_ALL = None\ndef f(c: sqlite3.Connection):\n    global _ALL\n    if _ALL is None: _ALL = c.execute('SELECT street FROM lanes ORDER BY id LIMIT 5').fetchall()\n    return _ALL",
    "a few of a parent": "from django.db import models\nclass Shop(models.Model):\n    @cached_property\n    def roles(self): return list(self.role_set.order_by('name'))",
    "some of a parent": "from django.db import models\nclass Shop(models.Model):\n    @cached_property\n    def late(self): return list(self.stockmovement_set.filter(late=True))",
    "a slice of a parent": "from django.db import models\nclass Shop(models.Model):\n    @cached_property\n    def last(self): return list(self.stockmovement_set.order_by('day')[:10])",
    "a set of its own": "class A:\n    @cached_property\n    def names(self): return list(self.name_set.values())",
    "something else": "class A:\n    @cached_property\n    def rows(self): return [1, 2]",
}

FOUND = {
    "a cached property": (
        "class A:\n    def __init__(self, c: sqlite3.Connection): self.c = c\n    @cached_property\n    def rows(self): return self.c.execute('SELECT * FROM t').fetchall()",
        "sure",
    ),
    "a global behind a session": (
        "from app.db import SessionLocal\nfrom app.models import Article\n_ALL = None\ndef f():\n    global _ALL\n    if _ALL is None:\n        with SessionLocal() as db:\n            _ALL = db.query(Article).all()\n    return _ALL",
        "likely",
    ),
    "a whole table in a global": (
        "import pymysql\n_ALL = None\ndef f(host):\n    global _ALL\n    if _ALL is None:\n        with pymysql.connect(host=host).cursor() as cur:\n            cur.execute('SELECT street, lon, lat FROM lanes')\n            _ALL = cur.fetchall()\n    return _ALL",
        "likely",
    ),
    "a whole table in an attribute": (
        "import aiosqlite\nclass A:\n    def __init__(self): self._lanes = None\n    async def lanes(self):\n        if self._lanes is None:\n            async with aiosqlite.connect('a') as db:\n                self._lanes = await db.execute_fetchall('SELECT lon, lat FROM lanes')\n        return self._lanes",
        "likely",
    ),
    "a whole table of a session": (
        "from app.models import Lane\nclass A:\n    def __init__(self, s: Session): self.s = s\n    @cached_property\n    def lanes(self): return self.s.scalars(select(Lane)).all()",
        "likely",
    ),
    "all of a parent": (
        "from django.db import models\nclass Shop(models.Model):\n    @cached_property\n    def movements(self): return list(self.stockmovement_set.order_by('day'))",
        "likely",
    ),
    "a guard before it": (
        "_ALL = None\ndef f(s: Session):\n    global _ALL\n    if _ALL is not None: return _ALL\n    _ALL = s.scalars(select(Order)).all()\n    return _ALL",
        "sure",
    ),
    "where it is not there yet": (
        "class A:\n    def f(self, s: Session):\n        try: return self._rows\n        except AttributeError:\n            self._rows = s.scalars(select(Order)).all()\n            return self._rows",
        "sure",
    ),
    "or what is there": (
        "class A:\n    def __init__(self, c: sqlite3.Connection):\n        self.c = c\n        self._rows = None\n    def rows(self):\n        self._rows = self._rows or self.c.execute('SELECT * FROM t').fetchall()\n        return self._rows",
        "sure",
    ),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW303", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW303", HEAD + text)] == [confidence]
