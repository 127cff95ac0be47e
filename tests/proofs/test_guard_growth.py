"""The page guard in fresh processes: flat whatever the table holds; without it, the same handler grows with the table."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import flatwater as fw

sys.path.insert(0, str(Path(__file__).parents[1] / "servers"))

from database_servers import mariadb, postgres  # noqa: F401 - fixtures

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SIZES = "500..8k"

SQLITE = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {n}) SELECT i, hex(zeroblob(100)) || i FROM n"
POSTGRES = "SELECT i, repeat('x', 200) || i FROM generate_series(1, {n}) i"
MARIADB = "SELECT seq, concat(repeat('x', 200), seq) FROM seq_1_to_{n}"


def plain_sqlite(n, _where, guard):
    """sqlite3."""
    import contextlib
    import sqlite3

    with contextlib.closing(sqlite3.connect(":memory:")) as connection, guard:
        return guard.wrap(connection).execute(SQLITE.format(n=n)).fetchall()


def plain_psycopg(n, where, guard):
    """psycopg 3, whose execute takes the whole result."""
    import psycopg

    with psycopg.connect(**where["postgres"]) as connection, guard:
        return guard.wrap(connection).execute(POSTGRES.format(n=n)).fetchall()


def plain_pymysql(n, where, guard):
    """PyMySQL, whose execute takes the whole result."""
    import pymysql

    with pymysql.connect(**where["mariadb"]) as connection, guard:
        cursor = guard.wrap(connection).cursor()
        cursor.execute(MARIADB.format(n=n))
        return cursor.fetchall()


def core_aiosqlite(n, _where, guard):
    """SQLAlchemy's coroutines on aiosqlite."""
    import asyncio

    import sqlalchemy as sa
    from sqlalchemy.ext.asyncio import create_async_engine

    async def main():
        engine = create_async_engine("sqlite+aiosqlite://")
        guard.install(engine, max_rows=None, max_bytes=None)
        try:
            async with engine.connect() as connection, guard:
                return (await connection.execute(sa.text(SQLITE.format(n=n)))).all()
        finally:
            await engine.dispose()

    return asyncio.run(main())


def django_postgres(n, where, guard):
    """Django on PostgreSQL."""
    import django
    from django.conf import settings

    if not settings.configured:
        settings.configure(DATABASES={"default": where["django"]})
        django.setup()
    from django.db import connections

    guard.install(connections, max_rows=None, max_bytes=None)
    with guard, connections["default"].cursor() as cursor:
        cursor.execute(POSTGRES.format(n=n))
        return cursor.fetchall()


HANDLERS = {
    plain_sqlite: ["sqlite3"],
    plain_psycopg: ["psycopg"],
    plain_pymysql: ["pymysql"],
    core_aiosqlite: ["sqlalchemy.ext.asyncio", "aiosqlite"],
    django_postgres: ["django.db.models", "psycopg"],
}


def proof_of(scenario, handler):
    """By 256 bytes a row, where a row takes more than 300."""
    libraries = [pytest.importorskip(name) for name in HANDLERS[handler]]
    scenario.needs = libraries  # sent along, so that they are imported before the call: else that is most of its time
    return fw.prove(scenario, sizes=SIZES, resolution=256)


@pytest.fixture(scope="module")
def where(postgres, mariadb):  # noqa: F811 - the fixtures
    with postgres.database() as in_postgres, mariadb.database() as in_mariadb:
        yield {
            "postgres": in_postgres.dsn, "django": in_postgres.django, "mariadb": in_mariadb.dsn,
        }  # fmt: skip


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_guarded_handler_is_flat(handler, where):
    """Tables of 500 to 8,000 rows, and as many requests more: each is cut off before its rows are in memory."""

    def requests(n):
        import gc

        from flatwater.source.guard import PageTooLarge, page_guard

        for _ in range(n // 250):
            try:
                handler(n, where, page_guard(max_rows=200, max_bytes="1 MiB"))
            except PageTooLarge:
                gc.collect()  # engines and connections are rings of their own
                continue
            raise AssertionError("it was not cut off")

    proof = proof_of(requests, handler)
    assert (proof.verdict, proof.outcome) == ("constant", "holds"), str(proof)


@pytest.mark.parametrize("handler", HANDLERS)
def test_its_unguarded_twin_grows(handler, where):
    """The same handler with limits that it never meets grows with each row."""

    def request(n):
        from flatwater.source.guard import page_guard

        if len(handler(n, where, page_guard(max_rows=10**9, max_bytes="1 GiB"))) != n:
            raise AssertionError("it was cut off")  # pytest's own assert would import pytest where this is measured

    proof = proof_of(request, handler)
    assert (proof.verdict, proof.outcome) == ("grows", "fails"), str(proof)
    assert proof.bytes_per_item > 200


WIDE = {
    "postgres": "SELECT repeat(i::text, 166000) FROM generate_series(100000, 100400) i",
    "mariadb": "SELECT repeat(100000 + seq, 166000) FROM seq_1_to_400",
}


@pytest.mark.parametrize("kind", WIDE)
def test_rows_of_a_megabyte_stay_within_the_bytes(kind, where):
    """400 rows of 1 MB against max_bytes of 8 MiB: at most 12 MiB more are taken, for the rows that the driver has in hand."""
    import psycopg
    import pymysql

    driver = {"postgres": psycopg, "mariadb": pymysql}[kind]
    statement, dsn = WIDE[kind], where[kind]

    def request():
        from flatwater.source.guard import PageTooLarge, page_guard

        with driver.connect(**dsn) as inner:
            cursor = page_guard.wrap(inner).cursor()
            cursor.execute("SELECT 1")
            with fw.measure(kind) as reading, page_guard(max_rows=10**6, max_bytes="8 MiB"):
                refused = False
                try:
                    cursor.execute(statement)
                except PageTooLarge:
                    refused = True
        assert refused
        return reading.delta

    with fw.worker.Worker() as worker:
        assert worker.run(request).value < 20 << 20
