"""What SQLite says of its tables: keys, columns, plans, estimates."""

from __future__ import annotations

import sqlite3

import pytest

from flatwater.source.tables import seek
from flatwater.source.tables.adapters import sqlite_words
from flatwater.source.tables.conditions import Compare, Null
from flatwater.source.tables.order import Order, OrderColumn
from flatwater.source.tables.shape import PageQuery, Relation


def words(*statements):
    connection = sqlite3.connect(":memory:")
    for statement in statements:
        connection.execute(statement)
    return lambda sql, params: connection.execute(sql, params).fetchall()


@pytest.mark.parametrize(
    ("columns", "key", "nullable"),
    [
        ("id INTEGER PRIMARY KEY, a", ("id",), {"id": False, "a": True}),
        ("id INT PRIMARY KEY, a NOT NULL", ("id",), {"id": True, "a": False}),
        ("a TEXT, b TEXT, PRIMARY KEY (b, a)", ("b", "a"), {"a": True, "b": True}),
        ("a TEXT, b TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID --", ("b", "a"), {"a": False, "b": False}),
        ("a, b", (), {"a": True, "b": True}),
        ("id INTEGER PRIMARY KEY, twice AS (id * 2)", ("id",), {"id": False, "twice": True}),
        ("'odd \"name''s' INTEGER PRIMARY KEY", ("odd \"name's",), {"odd \"name's": False}),
    ],
)
def test_columns_and_keys(columns, key, nullable):
    """The primary key in its own order, and which columns can be NULL: SQLite lets NULL into most keys."""
    if columns.endswith("--"):
        columns = columns.removesuffix(" --").removesuffix(") WITHOUT ROWID")
        fetch = words(f"CREATE TABLE t ({columns}) WITHOUT ROWID")
    else:
        fetch = words(f"CREATE TABLE t ({columns})")
    shape = sqlite_words.table_shape(Relation(("t",)), fetch)
    assert shape.key == key
    assert {column.name: column.nullable for column in shape.columns} == nullable


def test_unique_indexes_without_null_are_keys():
    """Neither partial indexes nor expressions nor columns that can be NULL prove that a key is unique."""
    fetch = words(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a NOT NULL, b, c NOT NULL)",
        "CREATE UNIQUE INDEX one ON t (a, c)", "CREATE UNIQUE INDEX two ON t (b)",
        "CREATE UNIQUE INDEX three ON t (c) WHERE c > 5", "CREATE UNIQUE INDEX four ON t (a || c)", "CREATE INDEX five ON t (c)",
    )  # fmt: skip
    assert sqlite_words.table_shape(Relation(("t",)), fetch).unique == (("a", "c"),)


def test_views_virtual_and_attached_tables():
    """A view has columns and no key, a full-text table too; another schema's is found by its name; what is not there is None."""
    fetch = words(
        "CREATE TABLE t (id INTEGER PRIMARY KEY)", "CREATE VIEW v AS SELECT id, 1 AS one FROM t",
        "CREATE VIRTUAL TABLE f USING fts5(body)", "ATTACH ':memory:' AS \"other's\"", "CREATE TABLE \"other's\".u (x INTEGER PRIMARY KEY)",
    )  # fmt: skip
    assert sqlite_words.table_shape(Relation(("v",)), fetch).names == ("id", "one")
    assert sqlite_words.table_shape(Relation(("f",)), fetch).names == ("body",)
    assert sqlite_words.table_shape(Relation(("other's", "u")), fetch).key == ("x",)
    assert sqlite_words.table_shape(Relation(("none",)), fetch) is None


def plan(fetch, relation, *conditions, order="a"):
    columns = (OrderColumn(order, False, True, True), OrderColumn("id", False, False, True))
    return sqlite_words.plan_of(PageQuery(relation, ("id",), conditions, Order(columns), 5), fetch)


def test_plans_are_read():
    """A search in an index serves, a scan and a temporary tree do not; IS NULL of what is never NULL reads nothing."""
    fetch = words("CREATE TABLE t (id INTEGER PRIMARY KEY, a INT NOT NULL, b INT)", "CREATE INDEX i ON t (a, id)")
    table = Relation(("t",))
    assert plan(fetch, table, Compare("a", ">", 5)).is_served
    assert not plan(fetch, table, Compare("b", ">", 5), order="b").is_served
    assert plan(fetch, table, Compare("b", ">", 5), order="b").sorts
    assert plan(fetch, table, Null("a", is_null=True)).is_served
    grouped = Relation(select="SELECT a, max(id) AS id FROM t GROUP BY a")
    assert plan(fetch, grouped, Compare("id", ">", 5), order="id").scans


def test_a_pages_steps_are_all_served_by_one_index():
    """Each step of a mixed order with NULLs seeks in the index that was made for it."""
    fetch = words("CREATE TABLE t (id INTEGER PRIMARY KEY, a INT)", "CREATE INDEX i ON t (a DESC, id)")
    order = Order((OrderColumn("a", True, True, False), OrderColumn("id", False, False, True)))
    for position in ((5, 7), (None, 7)):
        for step in seek.steps_after(order, position, row_values=True):
            told = sqlite_words.plan_of(PageQuery(Relation(("t",)), ("id",), step, order, 5), fetch)
            assert told.is_served, told.text


def test_estimates_say_how():
    """By ANALYZE where it ran, by row numbers where they are the key, else by counting."""
    fetch = words(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a)", "INSERT INTO t VALUES (5, 1), (9, 1)", "CREATE INDEX i ON t (a)"
    )
    assert sqlite_words.count_estimate(Relation(("t",)), fetch) == (5, "the range of row numbers")
    assert sqlite_words.count_estimate(Relation(("t",), where="id > 5"), fetch) == (1, "counting")
    assert sqlite_words.count_estimate(Relation(select="SELECT * FROM t WHERE a = ?", params=(1,)), fetch) == (
        2,
        "counting",
    )
    fetch("ANALYZE", ())
    assert sqlite_words.count_estimate(Relation(("t",)), fetch) == (2, "the statistics of ANALYZE")
    empty = words("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    assert sqlite_words.count_estimate(Relation(("t",)), empty) == (0, "the range of row numbers")
