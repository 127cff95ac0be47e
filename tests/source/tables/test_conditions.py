"""Conditions as trees: what each one means in a database."""

from __future__ import annotations

import sqlite3

import pytest

from flatwater.source.tables.conditions import AllOf, AnyOf, Compare, Null, RowCompare
from flatwater.source.tables.order import Order, OrderColumn
from flatwater.source.tables.shape import SQLITE, PageQuery, Relation
from flatwater.source.tables.statements import page

ROWS = [(None, 1), (1, 1), (1, 2), (2, 1), (2, None)]
ORDER = Order((OrderColumn("a", False, True, True), OrderColumn("b", False, True, True)))


def kept(*conditions):
    """The rows that a condition keeps, as SQLite sees it."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (a, b)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", ROWS)
    sql, params = page(PageQuery(Relation(("t",)), ("a", "b"), conditions, ORDER, 99), SQLITE)
    return connection.execute(sql, params).fetchall()


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        (Compare("a", "=", 1), [(1, 1), (1, 2)]),
        (Compare("a", ">=", 2), [(2, None), (2, 1)]),
        (Null("a", is_null=True), [(None, 1)]),
        (Null("b", is_null=False), [(None, 1), (1, 1), (1, 2), (2, 1)]),
        (RowCompare(("a", "b"), ">", (1, 1)), [(1, 2), (2, None), (2, 1)]),
        (AllOf((Compare("a", "=", 1), Compare("b", "<", 2))), [(1, 1)]),
        (AnyOf((Null("a", is_null=True), Compare("b", "=", 2))), [(None, 1), (1, 2)]),
        (AllOf(()), sorted(ROWS, key=lambda row: (row[0] or 0, row[1] or 0))),
        (AnyOf(()), []),
        (AnyOf((AllOf((Compare("a", "=", 1), AnyOf(()))), Compare("b", "=", 1))), [(None, 1), (1, 1), (2, 1)]),
    ],
)
def test_a_condition_means_what_it_says(condition, rows):
    """Each kind of condition, nested or empty, keeps the rows that it describes."""
    assert kept(condition) == rows


def test_several_conditions_all_hold():
    """A page's conditions are joined by AND, and an OR among them stays in its brackets."""
    assert kept(AnyOf((Compare("a", "=", 1), Compare("a", "=", 2))), Compare("b", "=", 1)) == [(1, 1), (2, 1)]
