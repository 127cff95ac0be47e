"""What PostgreSQL says of its tables."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flatwater.source.tables.adapters import postgres_words
from flatwater.source.tables.conditions import Compare
from flatwater.source.tables.order import Order, OrderColumn
from flatwater.source.tables.shape import PageQuery, Relation

sys.path.insert(0, str(Path(__file__).parents[3] / "servers"))

from database_servers import postgres, postgres_database  # noqa: F401 - fixtures


@pytest.fixture(scope="module")
def fetch(postgres_database):  # noqa: F811 - the fixture
    connection = postgres_database.connect()
    for statement in (
        "CREATE SCHEMA far",
        'CREATE TABLE far."Odd ""name""%" (b INT NOT NULL, a VARCHAR(9) NOT NULL, "C" TIMESTAMP(3), gone INT, PRIMARY KEY (a, b))',
        'ALTER TABLE far."Odd ""name""%" DROP COLUMN gone',
        "CREATE TABLE u (a INT NOT NULL, b INT, c INT NOT NULL)",
        "CREATE UNIQUE INDEX ON u (a, c)",
        "CREATE UNIQUE INDEX ON u (b)",
        "CREATE UNIQUE INDEX ON u (c) WHERE c > 5",
        "CREATE UNIQUE INDEX ON u ((a + c))",
        "CREATE UNIQUE INDEX ON u (c) INCLUDE (b)",
        "CREATE VIEW v AS SELECT a, b FROM u",
        "CREATE TABLE parted (id INT, day DATE, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
        "CREATE MATERIALIZED VIEW m AS SELECT a FROM u",
    ):
        connection.execute(statement)
    yield lambda sql, params: connection.execute(sql, params).fetchall()
    connection.close()


def test_columns_and_keys(fetch):
    """The key in its own order, types as declared, no dropped column; NULL only where it may stand."""
    shape = postgres_words.table_shape(Relation(("far", 'Odd "name"%')), fetch)
    assert shape.key == ("a", "b")
    assert [tuple(column) for column in shape.columns] == [
        ("b", "integer", False), ("a", "character varying(9)", False), ("C", "timestamp(3) without time zone", True),
    ]  # fmt: skip


def test_unique_indexes_without_null_are_keys(fetch):
    """Neither partial indexes nor expressions nor columns that can be NULL count; included columns are no part of a key."""
    assert sorted(postgres_words.table_shape(Relation(("u",)), fetch).unique) == [("a", "c"), ("c",)]


@pytest.mark.parametrize(("name", "key"), [("v", ()), ("m", ()), ("parted", ("id", "day"))])
def test_other_relations(fetch, name, key):
    """Views have no key, partitioned tables have theirs."""
    assert postgres_words.table_shape(Relation((name,)), fetch).key == key


@pytest.mark.parametrize("name", ["none", "U", 'u"; DROP TABLE u', ""])
def test_what_is_not_there_is_none(fetch, name):
    """A name that is no table, with other capitals or with quotes in it, is none."""
    assert postgres_words.table_shape(Relation((name,)), fetch) is None


ORDER = Order((OrderColumn("a", False, False, False),))
PAGE = PageQuery(Relation(("t",)), ("a",), (Compare("a", ">", 1),), ORDER, 5)


@pytest.mark.parametrize(
    ("plan", "sorts", "scans"),
    [
        ({"Node Type": "Limit", "Plans": [{"Node Type": "Index Scan", "Index Cond": "(a > 1)"}]}, False, False),
        ({"Node Type": "Limit", "Plans": [{"Node Type": "Index Only Scan", "Filter": "(a > 1)"}]}, False, True),
        ({"Node Type": "Sort", "Plans": [{"Node Type": "Seq Scan"}]}, True, True),
        ({"Node Type": "Incremental Sort", "Plans": [{"Node Type": "Index Scan", "Index Cond": "x"}]}, True, False),
        ({"Node Type": "Limit", "Plans": [{"Node Type": "Result", "One-Time Filter": "false"}]}, False, False),
        (
            {
                "Node Type": "Nested Loop",
                "Plans": [{"Node Type": "Index Scan", "Index Cond": "x"}, {"Node Type": "Seq Scan"}],
            },
            False,
            False,
        ),
        (
            {
                "Node Type": "Nested Loop",
                "Plans": [{"Node Type": "Seq Scan"}, {"Node Type": "Index Scan", "Index Cond": "x"}],
            },
            False,
            True,
        ),
    ],
)
def test_plans_are_read(plan, sorts, scans):
    """A sort anywhere, and an outermost scan without an index condition, are seen; nothing to read is nothing to refuse."""
    told = postgres_words.read_plan([{"Plan": plan}], PAGE)
    assert (told.sorts, told.scans) == (sorts, scans)
    assert plan["Node Type"] in told.text


def test_keys_and_estimates(fetch):
    """Some row's key, with values where there are any; the planner's guess, and after ANALYZE the statistics."""
    fetch("INSERT INTO u VALUES (1, NULL, 6), (2, 7, 8) RETURNING 1", ())
    order = Order((OrderColumn("b", False, True, False), OrderColumn("a", False, False, False)))
    assert postgres_words.some_key(Relation(("u",)), order, fetch) == (7, 2)
    assert postgres_words.some_key(Relation(("u",), where="a = 1"), order, fetch) == (None, 1)
    assert postgres_words.some_key(Relation(("u",), where="a = 9"), order, fetch) == ()
    assert postgres_words.count_estimate(Relation(("u",)), fetch)[1] == "the planner"
    assert (
        postgres_words.count_estimate(Relation(select="SELECT a FROM u WHERE a = %s", params=(1,)), fetch)[1]
        == "the planner"
    )
