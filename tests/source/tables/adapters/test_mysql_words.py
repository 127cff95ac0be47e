"""What MariaDB says of its tables."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flatwater import errors
from flatwater.source.tables.adapters import mysql_words
from flatwater.source.tables.conditions import Compare
from flatwater.source.tables.order import Order, OrderColumn
from flatwater.source.tables.shape import PageQuery, Relation

sys.path.insert(0, str(Path(__file__).parents[3] / "servers"))

from database_servers import mariadb, mariadb_database  # noqa: F401 - fixtures


@pytest.fixture(scope="module")
def fetch(mariadb_database):  # noqa: F811 - the fixture
    connection = mariadb_database.connect()

    def run(sql, params):
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall()

    run(
        "CREATE TABLE t (b INT NOT NULL, a VARCHAR(9) NOT NULL, c INT, d INT NOT NULL, body TEXT NOT NULL, f FLOAT, PRIMARY KEY (a, b), "
        "UNIQUE KEY c (c), UNIQUE KEY d (d), UNIQUE KEY p (body(10)), KEY mixed (d DESC, c), KEY `odd ``name` (c, d))", None,
    )  # fmt: skip
    run("CREATE VIEW v AS SELECT a, b FROM t", None)
    yield run
    connection.close()


def order(*terms):
    return Order(tuple(OrderColumn(term.strip("-"), term.startswith("-"), term in ("c", "-c"), True) for term in terms))


def test_columns_and_keys(fetch):
    """The key in its own order; unique indexes of prefixes and of what can be NULL are none."""
    shape = mysql_words.table_shape(Relation(("t",)), fetch)
    assert (shape.key, shape.unique) == (("a", "b"), (("d",),))
    assert [(column.name, column.nullable) for column in shape.columns][:3] == [("b", False), ("a", False), ("c", True)]
    assert mysql_words.table_shape(Relation(("v",)), fetch).key == ()
    assert mysql_words.table_shape(Relation(("none",)), fetch) is None
    assert mysql_words.table_shape(Relation(("mysql", "user")), fetch) is not None


@pytest.mark.parametrize(
    ("terms", "index"),
    [(("a", "b"), "PRIMARY"), (("-a", "-b"), "PRIMARY"), (("a", "-b"), ""), (("-d", "c"), "mixed"), (("d", "-c"), "mixed"),
     (("c", "a", "b"), "c"), (("c", "d"), "odd `name"), (("c", "d", "a", "b"), "odd `name"), (("body",), ""), (("b",), "")],
)  # fmt: skip
def test_the_index_of_an_order(fetch, terms, index):
    """Columns all one way or all the other, completed by the primary key; never an index of prefixes."""
    assert mysql_words.index_for(Relation(("t",)), order(*terms), fetch) == index


def test_a_select_has_no_index_to_name(fetch):
    """An index is named for tables only."""
    assert mysql_words.index_for(Relation(select="SELECT * FROM t"), order("a"), fetch) == ""


def test_a_rounded_column_is_refused(fetch):
    """A FLOAT of a table is no part of an order."""
    shape = mysql_words.table_shape(Relation(("t",)), fetch)
    with pytest.raises(errors.UsageError, match="FLOAT"):
        mysql_words.refuse_no_place(shape, order("f", "a", "b"))
    mysql_words.refuse_no_place(shape, order("a", "b"))


def plan(fetch, relation, condition, *terms, index=""):
    return mysql_words.plan_of(PageQuery(relation, ("a",), (condition,), order(*terms), 5, index), fetch)


def test_plans_are_read(fetch):
    """A range of an index serves; a whole table, a sort and a derived table do not."""
    table = Relation(("t",))
    fetch("INSERT INTO t (a, b, c, d, body) SELECT CONCAT('a', seq), seq, seq, seq, seq FROM seq_1_to_500", None)
    assert plan(fetch, table, Compare("a", ">", "a4"), "a", "b", index="PRIMARY").is_served
    assert plan(fetch, table, Compare("body", ">", "4"), "body").sorts
    assert not plan(fetch, table, Compare("b", ">", 4), "b").is_served
    grouped = Relation(select="SELECT a, max(d) AS d FROM t GROUP BY a")
    assert plan(fetch, grouped, Compare("d", ">", 4), "d").scans


def test_keys_and_estimates(fetch):
    """Some row's key; of a table without rows, values of the right types; the statistics, or a count."""
    assert len(mysql_words.some_key(Relation(("t",)), order("c", "a"), fetch)) == 2
    assert mysql_words.some_key(Relation(("t",), where="b < 0"), order("c", "a"), fetch) == (0, "")
    assert mysql_words.count_estimate(Relation(("t",)), fetch)[1] == "InnoDB's statistics"
    assert mysql_words.count_estimate(Relation(("t",), where="b < 100 AND a LIKE 'a%%'"), fetch)[1] == "counting"
