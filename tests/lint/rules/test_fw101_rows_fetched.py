"""All rows of a query, fetched at once."""

from __future__ import annotations

import pytest

HEAD = """
import sqlite3
import psycopg
from django.db import models
from sqlalchemy import select
from sqlalchemy.orm import Session

class User(models.Model):
    pass
"""

NOTHING = {
    "a page of peewee": "from peewee import Model\nclass Base(Model): pass\nclass GpsReading(Base): pass\ndef f(n):\n    for fix in GpsReading.select().order_by(GpsReading.at).limit(n): print(fix)",
    "rows of peewee as they come": "from peewee import Model\nclass Base(Model): pass\nclass GpsReading(Base): pass\ndef f():\n    for fix in GpsReading.select().iterator(): print(fix)",
    "the first row": "def f(c: sqlite3.Connection):\n    rows = c.execute('SELECT a FROM t').fetchall()\n    if rows:\n        return rows[0]['a']",
    "a cursor that a function makes": "def connect(): return sqlite3.connect('a').cursor()\ndef f():\n    cursor = connect()\n    cursor.execute('SELECT name FROM sqlite_master')\n    return cursor.fetchall()",
    "some by their keys": "def f(ids):\n    return User.objects.in_bulk(id_list=ids)",
    "a cursor that is gone over": "for row in sqlite3.connect('a').execute('SELECT * FROM t'): print(row)",
    "a limit in the text": "rows = sqlite3.connect('a').execute('SELECT * FROM t LIMIT 10').fetchall()",
    "a count": "rows = sqlite3.connect('a').execute('SELECT COUNT(*) FROM t').fetchall()",
    "the catalogue": "rows = sqlite3.connect('a').execute('SELECT name FROM sqlite_master').fetchall()",
    "something else with this method": "def f(thing):\n    for row in thing.fetchall(): print(row)",
    "all of a list": "ready = all([1, 2])",
    "a limited query": "def f(session: Session):\n    return session.query(User).limit(5).all()",
    "a limited select": "def f(session: Session):\n    return session.scalars(select(User).limit(5)).all()",
    "a slice of a queryset": "for user in User.objects.all()[:10]: print(user)",
    "an iterator of a queryset": "for user in User.objects.all().iterator(): print(user)",
    "a name that is not a model": "class Other:\n    objects = []\nfor each in Other.objects: print(each)",
}

NOTHING |= {
    "a limit of rows that are chosen in it": "rows = sqlite3.connect('a').execute('SELECT * FROM (SELECT a FROM orders LIMIT 9)').fetchall()",
    "a count of the database": "n = User.objects.filter(is_active=True).count()",
    "an answer that is there anyway": "users = User.objects.all()[:10]\nprint(len(users))",
    "whether there is one": "def f(name):\n    if len(User.objects.filter(name=name)) == 0: return None",
    "a query of somebody else": "def f(api):\n    return api.query('users').all()",
}

DOUBTS = {
    "those who administer": "for user in User.objects.filter(is_superuser=True): print(user)",
    "those of one": "def f(owner):\n    for user in User.objects.filter(owner=owner): print(user)",
    "work that waits": "rows = sqlite3.connect('a').execute(\"SELECT * FROM orders WHERE state = 'pending'\").fetchall()\nfor row in rows: print(row)",
    "only counted, of a few": "class Icon(models.Model): pass\nn = len(Icon.objects.all())",
    "a table of a few": "rows = sqlite3.connect('a').execute('SELECT * FROM shops').fetchall()\nfor row in rows: print(row)",
    "a model of a few": "class Icon(models.Model): pass\nfor icon in Icon.objects.all(): print(icon)",
    "no table": "rows = sqlite3.connect('a').execute('DETACH a').fetchall()",
    "what a function of one's own asks": "def f(c: sqlite3.Connection):\n    cursor = c.cursor()\n    run(cursor, 'SHOW GRANTS')\n    return cursor.fetchall()",
    "a bound that is filled in": "def f(c: sqlite3.Connection, limit_clause):\n    return list(c.execute(f'SELECT a FROM t {limit_clause}').fetchall())",
}

FOUND = {
    "rows that are written, whatever their table": ("import asyncpg\nasync def f(db: asyncpg.Pool, path):\n    stops = await db.fetch('SELECT a FROM stops')\n    with open(path, 'w') as out:\n        for stop in stops: out.write(stop['a'])", "likely"),
    "rows that are not deleted": ("def f(c: sqlite3.Connection):\n    for row in c.execute('SELECT a FROM messages WHERE deleted = 0').fetchall(): print(row)", "sure"),
    "a model of peewee, as a list": ("from peewee import Model\nclass Base(Model): pass\nclass GpsReading(Base): pass\ndef f(out):\n    for fix in list(GpsReading.select()): out.write(fix.lat)", "sure"),
    "a model of peewee": ("from peewee import Model\nclass Base(Model): pass\nclass GpsReading(Base): pass\ndef f(out):\n    for fix in GpsReading.select().order_by(GpsReading.at): out.write(fix.lat)", "likely"),
    "a cursor that is entered": ("import aiosqlite\nasync def f(path):\n    async with aiosqlite.connect(path) as db:\n        async with db.execute('SELECT a FROM messages') as cursor:\n            for row in await cursor.fetchall(): print(row)", "sure"),
    "rows of a year": ("def f(c: sqlite3.Connection, year):\n    for row in c.execute('SELECT a FROM orders WHERE year = ?', (year,)).fetchall(): print(row)", "sure"),
    "rows of a year, of a session": ("from shop.models import Order\ndef f(session: Session, year):\n    for order in session.query(Order).filter(Order.year == year).all(): print(order)", "likely"),
    "rows that point at one": ("class Line(models.Model): pass\ndef f(item):\n    return [each.count for each in list(item.stockmovement_set.all())]", "likely"),
    "a session of a maker": (
        "from sqlalchemy.orm import sessionmaker\nMaker = sessionmaker()\ndef f():\n    with Maker() as db:\n        for user in db.query(User).all(): print(user)", "likely",
    ),
    "a session that nobody says anything of": (
        "class Repo:\n    def users(self):\n        return [each.name for each in self.db.scalars(select(User)).all()]", "likely",
    ),
    "a query of nobody's": ("def f(db):\n    for user in db.query(User).all(): print(user)", "likely"),
    "a query of the model": ("def f():\n    for user in User.query.order_by(User.id).all(): print(user)", "likely"),
    "a statement that has a name": (
        "SQL = 'SELECT * FROM orders'\nclass Repo:\n    def all(self):\n        self.cursor.execute(SQL)\n        return [row[0] for row in self.cursor.fetchall()]", "likely",
    ),
    "a state of rows": ("for user in User.objects.filter(is_active=True): print(user)", "likely"),
    "a state in the text": ("for row in sqlite3.connect('a').execute(\"SELECT * FROM orders WHERE state = 'paid'\").fetchall(): print(row)", "sure"),
    "a state of SQLAlchemy": (
        "def f(session: Session):\n    for user in session.scalars(select(User).where(User.is_deleted.is_(False))).all(): print(user)", "sure",
    ),
    "only counted, whatever is asked": ("def f(session: Session, owner):\n    users = session.query(User).filter(User.owner == owner).all()\n    return len(users)", "likely"),
    "a statement that is only counted": ("def f(c: sqlite3.Connection):\n    cur = c.cursor()\n    cur.execute(\"SELECT * FROM jobs WHERE state = 'pending'\")\n    return len(cur.fetchall())", "likely"),
    "a queryset that is only counted": ("def f(owner):\n    users = User.objects.filter(owner=owner)\n    return len(users)", "likely"),
    "a limit in a comment": ("for row in sqlite3.connect('a').execute('SELECT * FROM orders -- LIMIT 9').fetchall(): print(row)", "sure"),
    "a limit in a text": ("for row in sqlite3.connect('a').execute(\"SELECT * FROM orders WHERE day > 'LIMIT 9'\").fetchall(): print(row)", "likely"),
    "a limit of a column": ("for row in sqlite3.connect('a').execute('SELECT (SELECT x FROM y LIMIT 1) FROM orders').fetchall(): print(row)", "sure"),
    "a limit that is none": ("for row in sqlite3.connect('a').execute('SELECT * FROM orders LIMIT -1').fetchall(): print(row)", "sure"),
    "a cursor of sqlite3": ("for row in sqlite3.connect('a').execute('SELECT * FROM t').fetchall(): print(row)", "sure"),
    "by names and with": (
        "with psycopg.connect('') as c, c.cursor() as k:\n    k.execute('SELECT * FROM t')\n    rows = k.fetchall()\n    for row in rows: print(row)", "sure",
    ),
    "a parameter that runs SQL": ("def f(k):\n    k.execute('SELECT * FROM t')\n    for row in k.fetchall(): print(row)", "likely"),
    "a session's query": ("def f(session: Session):\n    for user in session.query(User).all(): print(user)", "likely"),
    "scalars": ("def f(session: Session):\n    for user in session.scalars(select(User)).all(): print(user)", "sure"),
    "a list of a queryset": ("for user in list(User.objects.all()): print(user)", "sure"),
    "a queryset": ("for user in User.objects.all(): print(user)", "likely"),
    "an attribute of self": (
        "class Repo:\n    def __init__(self):\n        self.db = sqlite3.connect('a')\n    def all(self):\n        return [row[0] for row in self.db.execute('SELECT id FROM t').fetchall()]",
        "sure",
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows to be a query."""
    assert said("FW101", HEAD + text, "maybe") == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where a type is known, with how sure that is."""
    assert [how for _line, how in said("FW101", HEAD + text)] == [confidence]


def test_a_condition_is_a_doubt(said):
    """Rows of one key may be few."""
    text = HEAD + "rows = sqlite3.connect('a').execute('SELECT * FROM t WHERE user_id = ?', (1,)).fetchall()"
    assert said("FW101", text) == []
    assert [how for _line, how in said("FW101", text, "maybe")] == ["maybe"]


DOUBTS |= {
    "a table that is filled by hand": "rows = sqlite3.connect('a').execute('SELECT name FROM migrations').fetchall()\nfor row in rows: print(row)",
    "the first that fits": "def f():\n    for user in User.objects.all():\n        if user.ok: return user",
    "put together elsewhere": "def f(session: Session, narrow):\n    query = select(User)\n    query = narrow(query)\n    return session.scalars(query).all()",
    "a condition that comes later": "def f(session: Session, n):\n    query = select(User)\n    if n: query = query.where(User.id == n)\n    return session.scalars(query).all()",
    "a subquery": "def f(session: Session):\n    inner = select(User).limit(5).subquery()\n    return session.query(inner.c.id).all()",
}


@pytest.mark.parametrize("text", DOUBTS.values(), ids=DOUBTS)
def test_doubts_are_told_when_asked_for(said, text):
    """What a statement says is not known, or may bound it."""
    assert said("FW101", HEAD + text) == []
    assert [how for _line, how in said("FW101", HEAD + text, "maybe")] == ["maybe"]


@pytest.mark.parametrize(
    "text",
    [
        "def f(c: sqlite3.Connection, a):\n    for row in c.execute('SELECT a FROM orders WHERE customer_id = ? AND year = ?', a).fetchall(): print(row)",
        "from shop.models import Order\ndef f(db: Session, key):\n    for each in db.query(Order).filter(Order.customer_id == key).all(): print(each)",
    ],
    ids=["of a cursor", "of a session"],
)
def test_rows_of_a_key_are_a_doubt(said, text):
    """Those of one customer are few; those of a year, or of a country, are a share of the table."""
    assert [how for _line, how in said("FW101", HEAD + text, "maybe")] == ["maybe"]
    assert said("FW101", HEAD + text) == []


@pytest.mark.parametrize(
    ("statement", "is_told"),
    [
        ("SELECT * FROM orders WHERE a IN (SELECT id FROM b LIMIT 1)", True),
        ("SELECT * FROM orders JOIN (SELECT * FROM b LIMIT 1) x ON x.id = orders.c", True),
        ("WITH t AS (SELECT 1 LIMIT 1) SELECT * FROM orders", True),
        ("SELECT max(a) OVER (PARTITION BY b) FROM orders", True),
        ("SELECT a, (SELECT count(*) FROM b) FROM orders", True),
        ("SELECT * FROM (SELECT * FROM orders LIMIT 10) x", False),
        ("WITH t AS (SELECT * FROM orders LIMIT 10) SELECT * FROM t", False),
        ("SELECT max(a) FROM orders", False),
    ],
)
def test_where_a_bound_stands(said, statement, is_told):
    """A LIMIT of an inner statement bounds the outer one where that selects from it alone; a window has a row for each."""
    text = f"def f(c: sqlite3.Connection):\n    for row in c.execute({statement!r}).fetchall(): print(row)"
    assert bool(said("FW101", HEAD + text, "maybe")) is is_told


def test_a_statement_of_nothing_but_brackets(said):
    """It is looked at in bounded time: only so many inner statements are taken out of it."""
    text = (
        HEAD
        + "def f(c: sqlite3.Connection):\n    for row in c.execute('"
        + "SELECT a FROM (" * 20_000
        + "').fetchall(): print(row)"
    )
    assert [how for _line, how in said("FW101", text, "maybe")] == ["maybe"]
