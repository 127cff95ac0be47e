"""The wrapped connection."""

from __future__ import annotations

import sqlite3

import pytest

import flatwater as fw
from flatwater.source.guard import PageTooLarge, page_guard

SERIES = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i FROM n"


def test_it_is_the_drivers_connection_otherwise():
    """Attributes, `with` as a transaction, methods of the driver's own."""
    connection = page_guard.wrap(sqlite3.connect(":memory:"))
    connection.execute("CREATE TABLE t (a)")
    with pytest.raises(ZeroDivisionError), connection:  # noqa: PT012 - what comes before the error is rolled back
        connection.execute("INSERT INTO t VALUES (1)")
        raise ZeroDivisionError
    assert connection.execute("SELECT count(*) FROM t").fetchall() == [(0,)]
    assert connection.total_changes == 1
    connection.row_factory = sqlite3.Row
    assert connection.inner.row_factory is sqlite3.Row
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")


def test_standing_limits():
    """Limits given to `wrap` hold without a block."""
    connection = page_guard.wrap(sqlite3.connect(":memory:"), max_rows=100)
    with pytest.raises(PageTooLarge, match="100 rows"):
        connection.execute(SERIES).fetchall()
    with page_guard(max_rows=1_000):
        assert len(connection.execute(SERIES).fetchall()) == 500
    connection.close()


def test_a_driver_that_reads_all_unseen_is_refused():
    """A cursor that the guard does not know might have the whole result in memory: it is refused when it is made."""

    class Strange:
        def cursor(self):
            return object()

    with pytest.raises(fw.errors.UsageError, match="sqlite3, psycopg 3 and PyMySQL"):
        page_guard.wrap(Strange()).cursor()


NUMBERS = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT i FROM n"


def test_there_is_no_way_around():
    """What a guarded connection's shortcuts and its cursors' `connection` give is guarded."""
    inner = sqlite3.connect(":memory:")
    connection = page_guard.wrap(inner, max_rows=10)
    ways = (
        connection.cursor().connection,
        connection.executescript("CREATE TABLE things (id)"),
        connection.executemany("INSERT INTO things VALUES (?)", [(1,)]),
        connection.cursor().executemany("INSERT INTO things VALUES (?)", [(1,)]),
    )
    for way in ways:
        with pytest.raises(PageTooLarge):
            way.execute(NUMBERS).fetchall()
    inner.close()


def test_wrapping_again_changes_the_limits():
    """A wrapped connection can be wrapped once more, with other limits."""
    inner = sqlite3.connect(":memory:")
    connection = page_guard.wrap(page_guard.wrap(inner, max_rows=10), max_rows=100)
    assert connection.inner is inner
    assert len(connection.execute(NUMBERS).fetchall()) == 50
    inner.close()
