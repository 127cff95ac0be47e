"""Reads of one table, by the short way and through the engine."""

import random
import sqlite3
import time

import pytest

from flatwater import errors
from flatwater.live.database import Database
from flatwater.live.selecting import asked, simple
from flatwater.live.statements import understood


def is_short(db, text):
    executor = db._executor
    return simple(executor.understood(text).tree, executor.found) is not None


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("SELECT * FROM notes", True), ("SELECT n.id AS x, body FROM notes AS n WHERE n.id = 5", True), ("SELECT * FROM notes ORDER BY id DESC LIMIT 5 OFFSET 2", True), ("SELECT * FROM notes WHERE body LIKE 'x%' LIMIT ?", True),
        ("SELECT * FROM notes ORDER BY body", False), ("SELECT count(*) FROM notes", False), ("SELECT id + 1 FROM notes", False), ("SELECT DISTINCT id FROM notes", False), ("SELECT * FROM notes, rooms", False), ("SELECT id, id FROM notes", False),
        ("SELECT * FROM notes WHERE id IN (SELECT 1)", False), ("SELECT * FROM notes WHERE sqrt(id) > 1", False), ("SELECT nothing FROM notes", False), ("SELECT * FROM notes ORDER BY id LIMIT 1 + 1", False), ("SELECT * FROM system.users", True), ("SELECT * FROM system.users ORDER BY name", False), ("SELECT * FROM system.nothing", False), ("SELECT * FROM notes GROUP BY id", False),
    ],
)  # fmt: skip
def test_which_way(db, text, short):
    """What reads one table in the order of its keys needs no engine."""
    assert is_short(db, text) is short


@pytest.mark.parametrize("limit", ["-1", "'x'", "1.5"])
def test_numbers_of_rows(db, limit):
    """LIMIT takes a number from 0 on."""
    with pytest.raises(errors.UsageError):
        list(db.sql(f"SELECT * FROM notes LIMIT {limit}"))
    for value in (-1, "x", 1.5, None, True):
        with pytest.raises(errors.UsageError):
            list(db.sql("SELECT * FROM notes LIMIT ?", [value]))
    assert list(db.sql("SELECT * FROM notes LIMIT 0")) == []


QUERIES = [
    "SELECT * FROM notes WHERE {w}", "SELECT * FROM notes WHERE {w} ORDER BY id DESC LIMIT 7 OFFSET 2", "SELECT body, count(*) AS c, sum(n) AS s, min(id) AS m FROM notes WHERE {w} GROUP BY body ORDER BY body",
    "SELECT a.id, b.id AS other FROM notes AS a JOIN notes AS b ON a.n = b.id WHERE a.{w} ORDER BY a.id, b.id", "WITH x AS (SELECT * FROM notes WHERE {w}) SELECT count(*) AS c FROM x WHERE n > 3",
    "SELECT id FROM notes WHERE {w} UNION SELECT n FROM notes WHERE n > 5 ORDER BY 1", "SELECT id, row_number() OVER (PARTITION BY body ORDER BY id) AS r FROM notes WHERE {w} ORDER BY id",
    "SELECT id FROM notes WHERE n > (SELECT avg(n) FROM notes) AND {w} ORDER BY id", "SELECT id, CASE WHEN n > 4 THEN 'big' ELSE lower(body) END AS k FROM notes WHERE {w} ORDER BY id", "SELECT DISTINCT n FROM notes WHERE {w} ORDER BY n",
    "SELECT a.id FROM notes AS a LEFT JOIN notes AS b ON a.id = b.n WHERE b.id IS NULL AND a.{w} ORDER BY a.id", "SELECT id FROM notes WHERE EXISTS (SELECT 1 FROM notes AS z WHERE z.n = notes.id) AND {w} ORDER BY id",
]  # fmt: skip
WHERES = [
    "id > 5",
    "id = 7",
    "id < 3",
    "body = 'x'",
    "body IS NULL",
    "n IN (1, 2, 3)",
    "body LIKE 'x%'",
    "n BETWEEN 2 AND 6",
    "id >= 0",
]


def compared(db, rounds, seed):
    rng = random.Random(seed)
    other = sqlite3.connect(":memory:")
    other.row_factory = sqlite3.Row
    other.execute("PRAGMA case_sensitive_like = ON")
    other.execute("CREATE TABLE notes (id INT PRIMARY KEY, body TEXT, n INT)")
    rows = [(number, rng.choice(["x", "xy", "Z", "b"]), rng.randrange(10)) for number in rng.sample(range(100), 40)]
    other.executemany("INSERT INTO notes VALUES (?, ?, ?)", rows)
    db.load("notes", ({"id": number, "body": body, "n": n} for number, body, n in rows), user="ada")
    db.load("notes", ({"id": number, "body": "x", "n": 1} for number in range(50)), user="bob")
    for _ in range(rounds):
        text = rng.choice(QUERIES).format(w=rng.choice(WHERES))
        found = list(db.sql(text, user="ada"))
        expected = [dict(row) for row in other.execute(text)]
        if "ORDER BY" not in text:
            found, expected = (sorted(each, key=repr) for each in (found, expected))
        assert found == expected, text
    other.close()


def test_it_is_what_sqlite_says(db):
    """Random queries give what SQLite gives of the same rows, and nothing of another user."""
    compared(db, 60, 1)


@pytest.mark.slow
def test_it_is_what_sqlite_says_at_length(db):
    """The same with many more."""
    compared(db, 1_500, 2)


@pytest.mark.parametrize(
    ("text", "is_asked_before"),
    [
        ("SELECT count(*) FROM notes WHERE id > 5", True), ("SELECT upper(m.body) FROM notes AS m WHERE m.n = ? GROUP BY m.body", True), ("SELECT count(*) FROM notes", False), ("SELECT count(*) FROM notes WHERE sqrt(id) > 1", False),
        ("SELECT count(*) FROM notes AS a, notes AS b WHERE a.id = b.n", False), ("SELECT count(*) FROM notes WHERE id IN (SELECT n FROM notes)", False), ("SELECT count(*) FROM system.users WHERE name = 'x'", True), ("SELECT 1 AS x WHERE 1 = 1", False),
    ],
)  # fmt: skip
def test_a_condition_that_rows_are_asked_before_the_engine(db, text, is_asked_before):
    """One that is known here is asked as rows are read: the engine is not told of it."""
    query, where = asked(db._executor.understood(text).tree, db._executor.found)
    assert (where is not None) is is_asked_before
    assert ("WHERE" in query.render(dict.fromkeys(query.tables, "t"))) is (not is_asked_before and "WHERE" in text)


def test_keys_narrow_what_the_engine_reads(tmp_path):
    """A query with a condition on the first columns of the key reads these rows only."""
    with Database(tmp_path / "data") as db:
        db.sql("CREATE TABLE lines (thread TEXT, id BIGINT, body TEXT, PRIMARY KEY (thread, id)) WITH (TYPE = 'USER')")
        db.load("lines", ({"thread": f"t{n % 40}", "id": n, "body": "x" * 900} for n in range(20_000)))
        list(db.sql("SELECT count(*) AS c FROM lines WHERE thread = 'none'"))
        seconds = {}
        for text in (
            "SELECT count(*) AS c FROM lines WHERE thread = 't7'",
            "SELECT count(*) AS c FROM lines WHERE body > ''",
        ):
            begin = time.process_time()
            found = list(db.sql(text))
            seconds[found[0]["c"]] = time.process_time() - begin
        assert seconds[500] < seconds[20_000] / 4


def test_understood_is_kept(db):
    """The same text is read once."""
    text = "SELECT * FROM notes WHERE id = ?"
    assert db._executor.understood(text) is db._executor.understood(text)
    assert understood(text) is not understood(text)
