"""A connection of sqlite3, as the user opened it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading

import pytest

from flatwater import errors
from flatwater.source.tables.adapters.sqlite_connection import SqliteConnection
from flatwater.source.tables.shape import Relation
from flatwater.source.tables.table import Table


@pytest.fixture
def connection():
    made = sqlite3.connect(":memory:")
    made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)")
    made.executemany("INSERT INTO t VALUES (?, ?)", [(at, f"b{at}") for at in range(30)])
    made.commit()
    yield made
    made.close()


def test_what_the_user_set_stays_out(connection):
    """A row factory changes none of our rows, and stays set; text as bytes, which could not be sought by, is refused."""
    connection.row_factory = sqlite3.Row
    assert next(Table(connection, "t").find_each(as_=tuple)) == (0, "b0")
    assert connection.row_factory is sqlite3.Row
    connection.text_factory = bytes
    with pytest.raises(errors.UsageError, match="text_factory"):
        Table(connection, "t")


@pytest.mark.parametrize("level", [None, "DEFERRED", "IMMEDIATE"])
def test_no_transaction_is_begun_or_ended(connection, level):
    """Reading begins none, and one of the user's goes on with what it wrote."""
    connection.isolation_level = level
    list(Table(connection, "t").find_each(batch_rows=7))
    assert not connection.in_transaction
    connection.execute("BEGIN")
    connection.execute("DELETE FROM t WHERE id < 5")
    for consistency in ("bounded", "snapshot"):
        assert next(Table(connection, "t").pluck("id", consistency=consistency)) == 5
    assert connection.in_transaction
    connection.rollback()


def test_a_snapshot_of_our_own_ends_with_the_pass(connection):
    """Its transaction is gone when the pass is closed."""
    rows = Table(connection, "t").find_each(consistency="snapshot", batch_rows=7)
    next(rows)
    assert connection.in_transaction
    rows.close()
    assert not connection.in_transaction


def test_another_thread_is_refused_in_a_sentence(connection):
    """sqlite3's connections belong to their thread: elsewhere it is a UsageError."""
    table, got = Table(connection, "t"), []

    def read():
        try:
            list(table.find_each())
        except errors.FlatwaterError as error:
            got.append(str(error))

    thread = threading.Thread(target=read)
    thread.start()
    thread.join(10)
    assert "thread" in got[0]


def test_coroutines_read_in_their_thread(connection):
    """Async reading uses no other thread."""

    async def read():
        return [row["id"] async for row in Table(connection, "t").find_each(batch_rows=7)]

    assert asyncio.run(read()) == list(range(30))


@pytest.mark.parametrize(
    ("sql", "kind"), [("SELECT FROM", errors.UsageError), ("SELECT * FROM none", errors.UsageError), ("SELECT ?", errors.UsageError),
                      ("INSERT INTO t VALUES (1, 2)", errors.BrokenError)],
)  # fmt: skip
def test_errors_are_ours(connection, sql, kind):
    """A wrong text is a UsageError, anything else a BrokenError."""
    with pytest.raises(kind, match="sqlite3"):
        SqliteConnection(connection).fetch((sql, ()))


def test_a_closed_connection_is_said(connection):
    """A connection that the user closed is a UsageError, in the middle of a pass too."""
    other = sqlite3.connect(":memory:")
    other.close()
    with pytest.raises(errors.UsageError, match="closed"):
        Table(other, "t").find_each()
    rows = Table(connection, "t").find_each(batch_rows=10)
    for _ in range(10):
        next(rows)
    connection.close()
    with pytest.raises(errors.UsageError, match="closed"):
        next(rows)


def test_transactions_and_shapes(connection):
    """A transaction is all or nothing; a select's columns are known without a row."""
    adapter = SqliteConnection(connection)
    with pytest.raises(ValueError, match="mine"), adapter.transaction() as run:  # noqa: PT012 - the loop is what breaks
        assert run(("DELETE FROM t", ())) == 30
        raise ValueError("mine")
    assert adapter.fetch(("SELECT count(*) FROM t", ())) == [(30,)]
    assert adapter.shape(Relation(select="SELECT id, body AS b FROM t")).names == ("id", "b")
    with pytest.raises(errors.UsageError, match="no such column"):
        adapter.shape(Relation(select="SELECT missing FROM t"))
