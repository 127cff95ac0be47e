"""PostgreSQL through psycopg: types of the user's, wide rows, transactions that are the user's own."""

from __future__ import annotations

import sys
import tracemalloc
from pathlib import Path

import pytest

from flatwater import errors
from flatwater.source.tables.adapters.postgres import Postgres
from flatwater.source.tables.forms import bare_type
from flatwater.source.tables.table import Table

sys.path.insert(0, str(Path(__file__).parents[3] / "servers"))

from database_servers import postgres, postgres_database  # noqa: F401 - fixtures

UNDER = ["line"]


@pytest.fixture(scope="module")
def url(postgres_database):  # noqa: F811 - the fixture
    """A database with types and tables of every kind."""
    postgres_database.execute(
        "CREATE TYPE \"Mood\" AS ENUM ('sad', 'so so', 'glad')",
        "CREATE TYPE text_kind AS ENUM ('x', 'y')",
        "CREATE DOMAIN timeline AS text",
        "CREATE DOMAIN textual AS jsonb",
        "CREATE DOMAIN names AS text[]",
        'CREATE TABLE people (id INT PRIMARY KEY, mood "Mood" NOT NULL, kind text_kind NOT NULL, line timeline, doc textual, many names)',
        "INSERT INTO people SELECT i, (ARRAY['sad', 'so so', 'glad'])[i % 3 + 1]::\"Mood\", 'y', 'l' || i, '{\"a\": 1}', ARRAY['p', 'q'] "
        "FROM generate_series(1, 60) i",
        "CREATE INDEX ON people (mood, id)",
        "CREATE TABLE wide (id INT PRIMARY KEY, body TEXT, many TEXT[], doc JSONB, number NUMERIC, raw BYTEA, line timeline)",
        "INSERT INTO wide (id, body) SELECT i, repeat('x', 300000) FROM generate_series(1, 40) i",
        "INSERT INTO wide (id, many) SELECT i, ARRAY(SELECT repeat('ä', 3000) FROM generate_series(1, 50)) FROM generate_series(41, 80) i",
        "INSERT INTO wide (id, line) SELECT i, repeat('y', 300000) FROM generate_series(81, 120) i",
        "INSERT INTO wide (id, number, raw) SELECT i, repeat('9', 60000)::numeric, decode(repeat('ab', 100000), 'hex') FROM generate_series(121, 140) i",
        "CREATE TABLE keys (a REAL NOT NULL, b TIMESTAMPTZ NOT NULL, c CHAR(5) NOT NULL, d INTERVAL NOT NULL, PRIMARY KEY (a, b, c, d))",
        "INSERT INTO keys SELECT i / 10.0::real, now() + i * interval '1 second', 'k' || i % 7, i * interval '1 day' FROM generate_series(1, 50) i",
    )
    return postgres_database.url


@pytest.mark.parametrize("order_by", ["mood, id", "-mood, -id", "id"])
def test_types_of_the_users(url, order_by):
    """Enumerations, domains and their arrays are read and sought by, whatever they are called."""
    rows = list(Table(url, "people").find_each(order_by=order_by, batch_rows=7))
    assert sorted(row["id"] for row in rows) == list(range(1, 61))
    assert rows[0]["kind"] == "y"
    assert rows[0]["doc"] == {"a": 1}
    assert rows[0]["many"] == ["p", "q"]
    assert {row["mood"] for row in rows} == {"sad", "so so", "glad"}


def test_keys_of_all_types_are_sought_exactly(url):
    """A key of REAL, TIMESTAMPTZ, CHAR and INTERVAL loses no row, forwards or backwards, by token or in one pass."""
    table = Table(url, "keys")
    wanted = list(table.find_each(as_=tuple, batch_rows=1_000))
    assert len(wanted) == 50
    assert list(table.find_each(as_=tuple, batch_rows=3)) == wanted
    assert list(table.find_each(as_=tuple, batch_rows=3, order_by="-a, -b, -c, -d")) == wanted[::-1]
    first = table.page(limit=20, as_=tuple)
    assert [*first, *table.page(first.token, 100, as_=tuple)] == wanted


@pytest.mark.parametrize("which", ["body", "many", "raw", "number", *UNDER])
def test_wide_values_of_every_type_arrive_in_small_chunks(url, which):
    """A page of wide values, compressed at rest, in arrays, domains and numbers, is never held whole."""
    table = Table(url, "wide", where=f"{which} IS NOT NULL")
    next(table.find_each(columns=["id"]))
    tracemalloc.start()
    try:
        count = 0
        for batch in table.batches(columns=["id", which], batch_bytes="1 MiB"):
            count += len(batch)
            del batch
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count in (20, 40)
    assert peak < 8 << 20


@pytest.mark.parametrize("autocommit", [True, False])
def test_transactions_are_the_users_own(postgres_database, url, autocommit):  # noqa: F811 - the fixture
    """Ours end with each page; his stays open with what he wrote, and its snapshot is refused."""
    with postgres_database.connect(autocommit=autocommit) as connection:
        table = Table(connection, "people")
        status = connection.info.transaction_status
        list(table.find_each(batch_rows=7))
        list(table.find_each(batch_rows=7, consistency="snapshot"))
        table.explain(order_by="mood")
        assert connection.info.transaction_status == status == 0
        connection.execute("BEGIN" if autocommit else "SELECT 1")
        connection.execute("DELETE FROM people WHERE id <= 5")
        assert next(table.pluck("id")) == 6
        with pytest.raises(errors.UsageError, match="in a transaction"):
            next(table.pluck("id", consistency="snapshot"))
        connection.execute("ROLLBACK")
        assert next(table.pluck("id")) == 1


def test_settings_for_plans_do_not_stay(postgres_database, url):  # noqa: F811 - the fixture
    """The planner's settings are as they were, also after a plan that failed."""
    with postgres_database.connect() as connection:
        table = Table(connection, "people")
        with pytest.raises(errors.UsageError):
            table.find_each(order_by="line")
        with pytest.raises(errors.UsageError):
            Table(connection, "SELECT 1 / 0 AS id", key="id", where="no_such = 1").find_each()
        assert connection.execute("SHOW enable_sort").fetchone() == ("on",)
        assert connection.execute("SHOW enable_seqscan").fetchone() == ("on",)


def test_row_factories_of_the_users_stay_out(postgres_database, url):  # noqa: F811 - the fixture
    """A connection that makes dicts gives our rows all the same."""
    import psycopg

    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        table = Table(connection, "people")
        assert next(table.find_each(as_=tuple, columns=["id", "kind"])) == (1, "y")
        assert table.explain().is_served
        assert len(table.ranges(3)) == 3


def test_errors_are_ours(url):
    """A wrong text is a UsageError, a wrong value too; anything else is a BrokenError, in one line."""
    adapter = Postgres(url)
    for sql, params, kind in (
        ("SELECT FROM WHERE", (), errors.UsageError),
        ("SELECT * FROM nowhere", (), errors.UsageError),
        ("SELECT 1 / 0", (), errors.UsageError),
        ("SELECT %s::int", ("x",), errors.UsageError),
        ("SELECT pg_terminate_backend(pg_backend_pid())", (), errors.BrokenError),
    ):
        with pytest.raises(kind, match="PostgreSQL") as caught:
            adapter.fetch((sql, params))
        assert "\n" not in str(caught.value)
    assert adapter.fetch(("SELECT 1", ())) == [(1,)]
    adapter.close()
    with pytest.raises(errors.BrokenError, match="closed"):
        adapter.fetch(("SELECT 1", ()))


def test_an_async_connection_is_refused(url):
    """psycopg's AsyncConnection is refused with what to give instead."""
    import asyncio

    import psycopg

    async def main():
        connection = await psycopg.AsyncConnection.connect(url)
        try:
            Table(connection, "people")
        finally:
            await connection.close()

    with pytest.raises(errors.UsageError, match="cannot be read from here"):
        asyncio.run(main())


@pytest.mark.parametrize(
    ("kind", "bare"), [("numeric(9,2)", "numeric"), ("character varying(40)", "character varying"), ("text", "text"),
                       ("timestamp(3) without time zone", "timestamp without time zone"), ("text[]", "text[]")],
)  # fmt: skip
def test_a_type_without_its_length(kind, bare):
    """Lengths are taken off, and nothing else."""
    assert bare_type(kind) == bare


SHAPES = {
    "dates": (
        "a TIMESTAMPTZ, b DATE, c TIME, d INTERVAL",
        "now() + i * interval '1s', date '2020-01-01' + i, time '00:00' + i * interval '1s', i * interval '1s'",
    ),
    "texts": ("a TEXT, b TEXT, c BYTEA", "'x' || i, repeat('😀', 20) || i, decode(repeat('ab', 50), 'hex')"),
    "documents": (
        "a JSONB, b INT[]",
        "jsonb_build_object('k', i, 'l', jsonb_build_array('a' || i, i)), ARRAY[i, i + 1000]",
    ),
    "compressed": ("a TEXT", "repeat('x', 20000)"),
    "numbers": ("a INT, b BIGINT, c DOUBLE PRECISION", "1000000 + i, 10000000000 + i, i / 7.0"),
}


def charged_and_seen(table, as_):
    """What rows are charged once the first were seen, and what they take."""
    from flatwater.sizing import heap_bytes

    query = table._query(as_, None, None, allow_scan=True)
    charged = []

    def collect(*arguments):
        found = query.form.collect(*arguments)
        charged.append(found[0])
        return found

    reading = table._reading(query._replace(form=query.form._replace(collect=collect)), 1 << 40, 500, None, None, None)
    reading.next_batch()
    charged.clear()
    rows = reading.next_batch()
    return sum(charged), sum(map(heap_bytes, rows)) + 8 * len(rows)


@pytest.mark.parametrize("as_", [tuple, pytest.param(dict, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "shape",
    [*SHAPES, "decimals", "long", "uuids"],
)
def test_rows_are_charged_what_they_take(postgres_database, url, shape, as_):  # noqa: F811 - the fixture
    """Charged by seen lies within 0.8 and 1.45 for dates, text, documents, numbers."""
    more = {
        "decimals": ("a NUMERIC(20, 5), b NUMERIC", "i + 0.5, i * 1.25"),
        "long": ("a NUMERIC", "repeat('7', 1500)::numeric + i"),
        "uuids": ("a UUID, b UUID", "gen_random_uuid(), gen_random_uuid()"),
    }
    columns, values = (SHAPES | more)[shape]
    postgres_database.execute(
        f"DROP TABLE IF EXISTS {shape}", f"CREATE TABLE {shape} (id INT PRIMARY KEY, {columns})",
        f"INSERT INTO {shape} SELECT i, {values} FROM generate_series(1, 1000) i",
    )  # fmt: skip
    charged, seen = charged_and_seen(Table(url, shape), as_)
    assert 0.8 <= charged / seen <= 1.45
