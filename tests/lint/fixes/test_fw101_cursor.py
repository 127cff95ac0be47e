"""`for row in cursor.fetchall()` of sqlite3 becomes `for row in cursor`, where the loop neither ends early nor fails."""

from __future__ import annotations

import sqlite3
import textwrap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HEAD = "import sqlite3\ndef f(path):\n    db = sqlite3.connect(path)\n"
KEPT = {
    "the connection is used": "    for row in db.execute('SELECT * FROM t').fetchall():\n        db.execute('DELETE FROM t')\n",
    "it prints": "    for row in db.execute('SELECT * FROM t').fetchall():\n        print(row)\n",
    "it breaks off": "    for row in db.execute('SELECT * FROM t').fetchall():\n        if row[0] == 3: break\n",
    "a step may fail": "    n = 0\n    for row in db.execute('SELECT * FROM t').fetchall():\n        n += row[0]\n    return n\n",
    "a number may be none": "    return [int(row[0]) for row in db.execute('SELECT * FROM t').fetchall()]\n",
    "a cursor that is used elsewhere": "    cursor = db.execute('SELECT * FROM t')\n    return [row[0] for row in cursor.fetchall()]\n",
    "rows that are kept": "    rows = db.execute('SELECT * FROM t').fetchall()\n    for row in rows: pass\n    return rows\n",
    "a part": "    return [row[0] for row in db.execute('SELECT * FROM t').fetchmany(3)]\n",
    "a loop around it, with the rows given on": (
        "    rows = []\n    for name in 'tu':\n        for row in db.execute('SELECT * FROM t').fetchall():\n            rows.append(row)\n        db.keep = rows\n"
    ),
}  # fmt: skip
CHANGED = {
    "a comprehension": "    return {row[0]: row for row in db.execute('SELECT * FROM t').fetchall()}\n",
    "names": "    return [f'{b}' for a, b in db.execute('SELECT a, b FROM t ORDER BY b').fetchall() if a != 3]\n",
    "a list": "    rows = []\n    for row in db.cursor().execute('SELECT * FROM t').fetchall():\n        rows.append(row[1])\n    return rows\n",
    "several": (
        "    seen, count = set(), 0\n    for number, (a, b) in enumerate(db.execute('SELECT a, b FROM t').fetchall()):\n"
        "        if a is None:\n            continue\n        count += 1\n        seen.add((a, number))\n    return seen, count\n"
    ),
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_nothing_is_changed(fixed, text):
    """Where the statement would be open while something else happens."""
    assert fixed("FW101", HEAD + text) == HEAD + text


@pytest.mark.parametrize("driver", ["psycopg", "pymysql", "duckdb"])
def test_other_drivers_are_left(fixed, driver):
    """Their cursors hold all rows in any case, or are bound to a transaction."""
    text = HEAD.replace("sqlite3", driver) + CHANGED["a comprehension"]
    assert fixed("FW101", text) == text


def test_a_connection_that_was_given_is_left(fixed):
    """An annotation promises what a subclass may not keep."""
    text = "import sqlite3\ndef f(db: sqlite3.Connection):\n" + CHANGED["a comprehension"]
    assert fixed("FW101", text) == text


@pytest.mark.parametrize("text", CHANGED.values(), ids=CHANGED)
def test_it_goes_over_the_cursor(fixed, text):
    """Only `.fetchall()` is gone."""
    assert fixed("FW101", HEAD + text) == HEAD + text.replace(".fetchall()", "")


@pytest.mark.parametrize("text", CHANGED.values(), ids=CHANGED)
def test_it_does_the_same(fixed, outcome, tmp_path, text):
    """Of any rows, both give the same."""
    before, path = textwrap.dedent(HEAD + text), str(tmp_path / "data.db")
    after = fixed("FW101", before)
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE t (a, b)")
    value = st.one_of(st.none(), st.integers(-9, 9), st.text(max_size=3), st.binary(max_size=3), st.floats())

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(value, value), max_size=6))
    def same(rows):
        with db:
            db.execute("DELETE FROM t")
            db.executemany("INSERT INTO t VALUES (?, ?)", rows)
        assert outcome(before, path) == outcome(after, path)

    same()
    db.close()
