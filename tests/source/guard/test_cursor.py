"""The cursor: sqlite3's, counted."""

from __future__ import annotations

import contextlib
import gc
import sqlite3
import weakref

import pytest

from flatwater.source.guard import PageTooLarge, page_guard

SERIES = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n"


@pytest.fixture
def connection():
    inner = sqlite3.connect(":memory:")
    inner.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT)")
    inner.executemany("INSERT INTO things VALUES (?, ?)", ((number, f"name {number}") for number in range(1, 1001)))
    inner.commit()
    yield page_guard.wrap(inner)
    inner.close()


READERS = {
    "fetchall": lambda cursor: cursor.fetchall(),
    "fetchmany": lambda cursor: [cursor.fetchmany(33) for _ in range(10)],
    "fetchone": lambda cursor: [cursor.fetchone() for _ in range(200)],
    "iteration": list,
    "next": lambda cursor: [next(cursor) for _ in range(200)],
}


@pytest.mark.parametrize("reader", READERS)
def test_each_way_to_fetch_is_cut_off(connection, reader):
    """The 101st row is refused, and what asks again is refused again, so that no part passes for the whole."""
    with page_guard(max_rows=100), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM things")
        with pytest.raises(PageTooLarge) as caught:
            READERS[reader](cursor)
        assert caught.value.rows == 101
        for again in (cursor.fetchone, cursor.fetchmany, cursor.fetchall, lambda: list(cursor)):
            with pytest.raises(PageTooLarge):
                again()


@pytest.mark.parametrize("reader", READERS)
def test_a_refusal_holds_no_rows(reader):
    """When the error is handled, rows, guard and cursor are gone at once: nothing waits for the collector."""

    class Row:
        def __init__(self, _cursor, _values):
            alive.add(self)

    alive = weakref.WeakSet()
    inner = sqlite3.connect(":memory:")
    inner.row_factory = Row
    gc.disable()
    try:
        with page_guard(max_rows=100) as page, contextlib.suppress(PageTooLarge):
            READERS[reader](page_guard.wrap(inner).execute(SERIES))
        assert len(alive) == 0
        assert gc.get_referrers(page) == []
    finally:
        gc.enable()
        inner.close()


def test_the_connection_goes_on(connection):
    """After the cut: no statement stays open, a write commits, another cursor reads."""
    with page_guard(max_rows=100), pytest.raises(PageTooLarge):
        connection.execute("SELECT * FROM things").fetchall()
    connection.execute("DELETE FROM things WHERE id > 50")
    connection.commit()
    connection.execute("DROP TABLE things")


def test_a_transaction_keeps_what_it_wrote(connection):
    """SQLite's transaction is usable after the cut."""
    connection.execute("INSERT INTO things VALUES (2000, 'written')")
    with page_guard(max_rows=100), pytest.raises(PageTooLarge) as caught:
        connection.execute("SELECT * FROM things").fetchall()
    assert caught.value.transaction == "usable"
    connection.commit()
    assert connection.execute("SELECT count(*) FROM things").fetchone() == (1001,)


def test_the_guard_of_the_start_counts(connection):
    """A query that began inside the block is counted when its rows are fetched after it, and the other way round not."""
    with page_guard(max_rows=100):
        cursor = connection.execute("SELECT * FROM things")
    with pytest.raises(PageTooLarge):
        cursor.fetchall()
    free = connection.execute("SELECT * FROM things")
    with page_guard(max_rows=100):
        assert len(free.fetchall()) == 1000


def test_it_is_the_drivers_cursor_otherwise(connection):
    """Attributes are read and set where they belong; columns, row factory, number of changed rows."""
    connection.row_factory = sqlite3.Row
    with page_guard(max_rows=100):
        cursor = connection.cursor()
        cursor.arraysize = 7
        cursor.execute("SELECT id, name FROM things ORDER BY id")
        assert [column[0] for column in cursor.description] == ["id", "name"]
        assert [row["name"] for row in cursor.fetchmany()] == [f"name {number}" for number in range(1, 8)]
        assert cursor.execute("UPDATE things SET name = 'x'").rowcount == 1000
        cursor.executemany("INSERT INTO things VALUES (?, 'y')", [(5000,), (5001,)])
        assert cursor.rowcount == 2
        cursor.execute("INSERT INTO things (name) VALUES ('last')")
        assert cursor.lastrowid == 5002


def test_errors_of_the_driver_pass(connection):
    """A wrong statement raises sqlite3's error, also inside a guard; a statement of a wrong type too."""
    with page_guard():
        with pytest.raises(sqlite3.OperationalError, match="nowhere"):
            connection.execute("SELECT * FROM nowhere")
        with pytest.raises(TypeError):
            connection.execute(17)


def test_a_database_written_by_others_is_no_matter(connection):
    """Values of any type and size: nothing, bytes, numbers of 64 bits, text with a NUL."""
    rows = [(None, b"\0" * 1000, 2**63 - 1, "a\0b", 1.5)] * 50
    connection.inner.execute("CREATE TABLE odd (a, b, c, d, e)")
    connection.inner.executemany("INSERT INTO odd VALUES (?, ?, ?, ?, ?)", rows)
    with page_guard():
        assert connection.execute("SELECT * FROM odd").fetchall() == rows
