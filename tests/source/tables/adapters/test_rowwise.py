"""The cut by bytes, and psycopg's single rows."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from flatwater.source.tables.adapters.rowwise import Cut, async_cursor, cursor


def cut_of(room, *, may_pass=True):
    return Cut(room, 10, lambda row: row[0], may_pass=may_pass)


def test_rows_that_fit():
    """Rows are taken until one does not fit; that one is not taken, and it is said."""
    cut = cut_of(100)
    assert cut.take(iter([(20,), (30,), (40,), (1,)])) == [(20,), (30,)]
    assert (cut.used, cut.is_full) == (70, True)


def test_a_row_larger_than_the_room():
    """A row that is larger than the room passes alone, unless there are rows already."""
    assert cut_of(100).take(iter([(500,), (1,)])) == [(500,)]
    assert cut_of(100, may_pass=False).take(iter([(500,), (1,)])) == []


def test_the_end_of_the_rows():
    """Where all rows fit, the page is not said to be full."""
    cut = cut_of(100)
    assert cut.take(iter([(1,)])) == [(1,)]
    assert not cut.is_full


def test_single_rows(postgres):
    """A cursor knows its columns with the first row, gives rows in every way, and ends a statement when it is closed."""
    with psycopg.connect(**postgres.dsn, autocommit=True) as connection:
        made = cursor()(connection, "a name")
        made.execute("SELECT i FROM generate_series(1, 100000) i WHERE i > %s", (0,))
        assert made.description[0].name == "i"
        assert made.fetchone() == (1,)
        assert made.fetchmany(2) == [(2,), (3,)]
        assert next(iter(made)) == (4,)
        made.close()
        made = cursor(connection.cursor_factory)(connection)
        made.execute("SELECT i FROM generate_series(1, 3) i")
        assert made.fetchall() == [(1,), (2,), (3,)]
        assert made.fetchone() is None
        made.close()


def test_single_rows_in_coroutines(postgres):
    """The same for coroutines, and a fetch of many stops at a quarter of a MiB."""

    async def main():
        async with await psycopg.AsyncConnection.connect(**postgres.dsn, autocommit=True) as connection:
            made = async_cursor()(connection, "a name")
            await made.execute("SELECT repeat('w', 200000) FROM generate_series(1, 50)")
            assert len(await made.fetchmany(8)) == 2
            assert len((await made.fetchone())[0]) == 200_000
            assert len(await made.fetchall()) == 47
            assert await made.fetchone() is None
            await made.close()
            made = async_cursor()(connection)
            await made.execute("SELECT 1 WHERE false")
            assert await made.fetchall() == []
            await made.close()

    asyncio.run(main())


def test_an_error_of_the_server(postgres):
    """A wrong statement is psycopg's error."""
    with psycopg.connect(**postgres.dsn, autocommit=True) as connection, pytest.raises(psycopg.errors.UndefinedTable):
        cursor()(connection).execute("SELECT * FROM nothing")
