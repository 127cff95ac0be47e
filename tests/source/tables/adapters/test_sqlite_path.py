"""SQLite by path and through apsw: nothing is created, errors are ours, other writers are seen."""

from __future__ import annotations

import contextlib
import sqlite3

import apsw
import pytest

from flatwater import errors
from flatwater.source.tables.adapters.sqlite_path import SqliteApsw, SqlitePath, path_of
from flatwater.source.tables.shape import Relation
from flatwater.source.tables.table import Table


@pytest.fixture
def path(tmp_path):
    name = str(tmp_path / "t.db")
    with contextlib.closing(sqlite3.connect(name)) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(at, f"b{at}") for at in range(30)])
        connection.commit()
    return name


@pytest.mark.parametrize(
    ("source", "path"),
    [("a.db", "a.db"), ("sqlite:///a.db", "a.db"), ("sqlite:////x/a.db", "/x/a.db"), ("sqlite:///a%20b%3F.db", "a b?.db"),
     ("sqlite+pysqlite:///a.db", "a.db"), ("SQLite:///a.db", "a.db"), ("sqlitex.db", "sqlitex.db"), ("C:/a.db", "C:/a.db"),
     ("sqlite+odd", "sqlite+odd"), ("sqlite:a.db", "a.db")],
)  # fmt: skip
def test_the_path_in_a_url(source, path):
    """A URL of SQLite holds a path; anything else is one."""
    assert path_of(source) == path


def test_a_write_ahead_log_that_was_taken_away(path):
    """A writer that turns the log on and closes, so that it goes, is seen by a pass that runs."""
    rows = Table(path, "t").find_each(batch_rows=10, consistency="live")
    seen = [next(rows)["id"]]
    for number in range(3):
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = wal")
            connection.execute("INSERT INTO t VALUES (?, 'new')", (100 + number,))
            connection.commit()
        seen += [next(rows)["id"] for _ in range(9)]
    seen += [row["id"] for row in rows]
    assert seen == [*range(30), 100, 101, 102]


def test_a_snapshot_ends_and_lets_writers_go_on(path):
    """While a snapshot lasts it sees what was; afterwards the adapter sees what is."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        adapter = SqlitePath(path)
        with adapter.snapshot() as other:
            connection.execute("DELETE FROM t")
            connection.commit()
            assert other.fetch(("SELECT count(*) FROM t", ())) == [(30,)]
            assert adapter.fetch(("SELECT count(*) FROM t", ())) == [(0,)]
        adapter.close()


def test_a_transaction_is_all_or_nothing(path):
    """What raises in a transaction is rolled back, and the next one begins."""
    adapter = SqlitePath(path)
    with pytest.raises(ValueError, match="mine"), adapter.transaction() as run:  # noqa: PT012 - the loop is what breaks
        assert run(("DELETE FROM t", ())) == 30
        raise ValueError("mine")
    assert adapter.fetch(("SELECT count(*) FROM t", ())) == [(30,)]
    with pytest.raises(errors.UsageError, match="in a transaction"), adapter.transaction(), adapter.transaction():
        pass
    with adapter.transaction() as run:
        assert run(("DELETE FROM t WHERE id = 1", ())) == 1


def test_a_user_s_connection_stays_open_and_as_it_was(path):
    """Row traces and transactions of the user's stay, and nothing of his is closed."""
    connection = apsw.Connection(path)
    table = Table(connection, "t")
    assert sum(1 for _ in table.find_each(batch_rows=7)) == 30
    table.close()
    assert connection.execute("SELECT 1").fetchall() == [(1,)]
    connection.execute("BEGIN; DELETE FROM t WHERE id < 5")
    assert [row["id"] for row in Table(connection, "t").find_each(consistency="snapshot")][0] == 5  # noqa: RUF015 - a pass is no list
    assert connection.in_transaction
    connection.execute("ROLLBACK")
    assert SqliteApsw(connection).name == path


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT FROM", errors.UsageError),
        ("SELECT ?", errors.UsageError),
        ("INSERT INTO t VALUES (1, 2)", errors.BrokenError),
    ],
)
def test_errors_are_ours(path, sql, kind):
    """What SQLite refuses is a UsageError where the text is wrong, else a BrokenError; the file is named."""
    with pytest.raises(kind, match="t.db"):  # noqa: RUF043 - a name of a file
        SqlitePath(path).fetch((sql, ()))


def test_the_shape_of_a_select(path):
    """A select's columns are known without running it."""
    adapter = SqlitePath(path)
    assert adapter.shape(Relation(select="SELECT id AS a, body, 1 AS c FROM t")).names == ("a", "body", "c")
    with pytest.raises(errors.UsageError, match="no such column"):
        adapter.shape(Relation(select="SELECT missing FROM t"))
    assert adapter.bytes_max() == 6 << 20
