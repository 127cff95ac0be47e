"""Cursors that hold every row on this side."""

from __future__ import annotations

import pytest

HEAD = """
import psycopg
import pymysql
import sqlite3
"""

NOTHING = {
    "a cursor with a name": "def f(dsn):\n    with psycopg.connect(dsn) as c, c.cursor(name='x') as k:\n        k.execute('SELECT * FROM t')\n        for row in k: print(row)",
    "sqlite": "for row in sqlite3.connect('a').execute('SELECT * FROM t'): print(row)",
    "a limit": "def f(dsn):\n    for row in psycopg.connect(dsn).execute('SELECT * FROM t LIMIT 5'): print(row)",
    "an aggregate": "def f(dsn):\n    for row in psycopg.connect(dsn).execute('SELECT COUNT(*) FROM t'): print(row)",
    "a streaming class": "def f():\n    k = pymysql.connect(cursorclass=pymysql.cursors.SSCursor).cursor()\n    k.execute('SELECT * FROM t')\n    for row in k: print(row)",
    "somebody's cursor": "def f(cursor):\n    for row in cursor: print(row)",
    "a statement for each row": "def f():\n    k = pymysql.connect().cursor()\n    while True:\n        k.execute('SELECT * FROM t')\n        if k.fetchone() is None: break",
    "one row": "def f():\n    k = pymysql.connect().cursor()\n    k.execute('SELECT * FROM t')\n    return k.fetchone()",
    "one part": "def f():\n    k = pymysql.connect().cursor()\n    k.execute('SELECT * FROM t')\n    return k.fetchmany(10)",
}

FOUND = {
    "a row after another": (
        "def f():\n    k = pymysql.connect().cursor()\n    k.execute('SELECT * FROM t')\n    row = k.fetchone()\n    while row is not None:\n        print(row)\n        row = k.fetchone()",
        "sure",
    ),
    "a connection of psycopg": (
        "def f(dsn):\n    with psycopg.connect(dsn) as c:\n        for row in c.execute('SELECT * FROM t'): print(row)",
        "sure",
    ),
    "row after row": (
        "def f():\n    k = pymysql.connect().cursor()\n    k.execute('SELECT * FROM t')\n    while (row := k.fetchone()) is not None: print(row)",
        "sure",
    ),
    "the next row at the end of a loop": (
        "def f():\n    k = pymysql.connect().cursor()\n    k.execute('SELECT * FROM t')\n    row = k.fetchone()\n    while row:\n        print(row)\n        row = k.fetchone()",
        "sure",
    ),
    "parts that `iter` asks for": (
        "def f():\n    k = pymysql.connect().cursor()\n    k.execute('SELECT * FROM t')\n    for rows in iter(lambda: k.fetchmany(100), []): print(rows)",
        "sure",
    ),
    "fetchmany in a loop": (
        "def f():\n    k = pymysql.connect().cursor()\n    k.execute('SELECT * FROM t')\n    while rows := k.fetchmany(100): print(rows)",
        "sure",
    ),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW104", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW104", HEAD + text)] == [confidence]


def test_a_condition_by_key_is_a_doubt(said):
    """It is a doubt, which is not told by default."""
    text = (
        HEAD
        + "def f(dsn, n):\n    for row in psycopg.connect(dsn).execute('SELECT * FROM t WHERE user_id = %s', [n]): print(row)"
    )
    assert said("FW104", text) == []
    assert [how for _line, how in said("FW104", text, "maybe")] == ["maybe"]
