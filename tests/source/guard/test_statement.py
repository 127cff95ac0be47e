"""What is a query, and how a statement is shown."""

from __future__ import annotations

import pytest

from flatwater import limits
from flatwater.source.guard.statement import is_query, short, text_of

QUERIES = [
    "SELECT 1", "select\n*\nfrom t", "  (SELECT 1) UNION (SELECT 2)", "-- page\nSELECT 1", "/* a */ /* b */ SELECT 1",
    "WITH x AS (SELECT 1) SELECT * FROM x", "VALUES (1), (2)", "TABLE things", "# maria\nSELECT 1",
    "SELECT 'INSERT INTO t'", "SELECT * FROM t FOR UPDATE", 'SELECT "delete" FROM t', "SELECT updated, inserted_into FROM t",
    "WITH x AS (SELECT 'it''s; (INSERT') SELECT * FROM x", "SELECT 1 -- (DELETE",
]  # fmt: skip
OTHERS = [
    "INSERT INTO t SELECT * FROM s", "UPDATE t SET a = 1 RETURNING *", "DELETE FROM t", "BEGIN", "", "  ", "/* open SELECT",
    "WITH x AS (INSERT INTO t VALUES (1) RETURNING a) SELECT * FROM x", "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
    "with x as (select 1) delete from t", "SELECT * INTO copy FROM t", "SELECT a INTO @a FROM t", "CALL report()", "EXPLAIN SELECT 1",
    "CREATE TABLE t AS SELECT 1", "selectx",
]  # fmt: skip


@pytest.mark.parametrize("text", QUERIES)
def test_queries(text):
    """A statement that only reads is one."""
    assert is_query(text)


@pytest.mark.parametrize("text", OTHERS)
def test_what_may_write(text):
    """What writes, or may write, is left alone."""
    assert not is_query(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("SELECT *\n  FROM t", "SELECT * FROM t"),
        ("SELECT * FROM t WHERE a = 'it''s secret' AND b = 12.5", "SELECT * FROM t WHERE a = ? AND b = ?"),
        ("SELECT e'a\\'secret', $$secret$$, $q$secret$q$, x'ff'", "SELECT ?, ?, ?, ?"),
        ("SELECT 1 -- secret\n, 2 /* secret */ FROM t1", "SELECT ? , ? FROM t1"),
        ("SELECT 'open secret", "SELECT ?"),
        ('SELECT "order"."id" FROM "order" WHERE id = $1', 'SELECT "order"."id" FROM "order" WHERE id = $1'),
        ("SELECT * FROM t WHERE a = %(a_1)s AND b = :b2 AND c = ?", "SELECT * FROM t WHERE a = %(a_1)s AND b = :b2 AND c = ?"),
    ],
)  # fmt: skip
def test_literals_do_not_show(text, shown):
    """Whatever stands in the text as data is a question mark; names and placeholders stay."""
    assert short(text) == shown


def test_double_quotes_hide_where_they_are_text():
    """MariaDB takes text in double quotes for a literal."""
    assert short('SELECT * FROM `t` WHERE a = "secret"', double_quotes_hide=True) == "SELECT * FROM `t` WHERE a = ?"


def test_long_statements_are_cut():
    """At most 120 characters are shown, and a statement of megabytes is no work."""
    shown = short("SELECT " + ", ".join(f"column_{number}" for number in range(500_000)))
    assert len(shown) == limits.GUARD_SHOWN_CHARS_MAX
    assert shown.endswith("...")


def test_statements_of_any_kind():
    """Bytes and psycopg's composed SQL are read; what cannot be read is called by its type."""
    from psycopg import sql

    assert text_of(b"SELECT 1") == "SELECT 1"
    composed = sql.SQL("SELECT {} FROM {}").format(sql.Literal("secret"), sql.Identifier("t"))
    assert short(composed) == 'SELECT ? FROM "t"'
    assert short(object()) == "<object>"
    assert not is_query(text_of(object()))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("; SELECT 1", True),
        ("\ufeffSELECT 1", True),
        ("FETCH ALL FROM place", True),
        ("SELECT concat( insert('abc', 1, 1, 'x')) FROM things", True),
        ('SELECT (update) FROM (SELECT 1 AS "update") q', True),
        ("WITH x AS (SELECT 1) INSERT INTO things SELECT * FROM x", False),
        ("WITH x AS (SELECT 1) UPDATE things SET id = 1", False),
        ('WITH x AS ( DELETE FROM "things" RETURNING *) SELECT * FROM x', False),
        ("WITH x AS (MERGE INTO things USING y ON true WHEN MATCHED THEN DELETE RETURNING *) SELECT * FROM x", False),
    ],
)
def test_what_only_looks_like_something_else(text, answer):
    """An empty statement or a mark in front, functions and columns named like a write, do not hide a query."""
    assert is_query(text) is answer
