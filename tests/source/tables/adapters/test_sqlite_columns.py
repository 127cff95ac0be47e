"""Pages as whole columns: the statement, the limit on a column's length, the connection of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3

import pytest

from flatwater import errors
from flatwater.source.tables.adapters.sqlite_columns import NULL, SEPARATOR, Kind, statement
from flatwater.source.tables.order import Order, OrderColumn
from flatwater.source.tables.shape import PageQuery, Relation

apsw = pytest.importorskip("apsw")

from flatwater.source.tables.adapters.sqlite_path import SqlitePath  # noqa: E402 - it needs apsw

ID, TEXT = Kind("int64", is_sure=True, is_nullable=False), Kind("string", is_sure=False, is_nullable=True)


@pytest.fixture
def source(tmp_path):
    """A file of three rows."""
    path = str(tmp_path / "data.db")
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, "a ""b""" TEXT)')
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(1, "x"), (2, None), (3, "z" * 100_000)])
    with contextlib.closing(SqlitePath(path)) as adapter:
        yield adapter


def query(limit, name='a "b"'):
    order = Order((OrderColumn("id", descending=False, nullable=False, nulls_first=True),))
    return PageQuery(Relation(("t",)), ("id", name), (), order, limit)


def test_a_page_is_one_text(source):
    """Values stand between separators, column by column, and a mark in the place of NULL."""
    assert source.join(query(2), [ID, TEXT], 1 << 20) == (2, SEPARATOR.join(["1", "2", "x", NULL]))


def test_a_page_that_is_too_long_is_refused_by_sqlite(source):
    """It is never made; a shorter page of the same table is."""
    assert source.join(query(3), [ID, TEXT], 70_000) is None
    assert source.join(query(2), [ID, TEXT], 70_000).rows == 2
    assert source.join(query(3), [ID, TEXT], 200_000).rows == 3


def test_another_type_makes_a_part_too_many(source):
    """A text where numbers are said is a separator more than rows have."""
    page = source.join(query(2), [ID, Kind("int64", is_sure=False, is_nullable=True)], 1 << 20)
    assert page.text.count(SEPARATOR) == 4


def test_an_error_of_the_statement_is_an_error(source):
    """Only what is too long is left to rows."""
    with pytest.raises(errors.UsageError):
        source.join(dataclasses.replace(query(2), relation=Relation(("none",))), [ID, TEXT], 1 << 20)


def test_the_statement_quotes_names():
    """No name ends its quotes."""
    sql, params = statement(query(2, '"); DROP TABLE t; --'), [ID, TEXT])
    assert '"""); DROP TABLE t; --"' in sql
    assert params == (2,)


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no fork here")
def test_a_forked_child_opens_its_own(source):
    """The child of a fork reads columns too, over a connection of its own."""
    import os

    before = source.join(query(2), [ID, TEXT], 1 << 20)
    child = os.fork()
    if not child:
        os._exit(source.join(query(2), [ID, TEXT], 1 << 20) != before)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_closing_closes_it(source):
    """The connection for columns goes with the table's."""
    source.join(query(2), [ID, TEXT], 1 << 20)
    own = source._joiner._own
    source.close()
    with pytest.raises(apsw.ConnectionClosedError):
        own._connection.execute("SELECT 1")
