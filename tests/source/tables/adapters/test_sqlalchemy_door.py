"""Whose connection, and whose transaction."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, scoped_session, sessionmaker
from sqlalchemy_models import PEOPLE, Person

from flatwater import errors
from flatwater.source.tables.table import Table


def test_every_kind_of_source(engine):
    """An engine, a connection, a session, their factories: each is read."""
    maker = sessionmaker(engine)
    registry = scoped_session(maker)
    with engine.connect() as connection, Session(engine) as session:
        for source in (engine, connection, session, maker, registry):
            assert sum(1 for _ in Table(source, Person).find_each()) == PEOPLE
            assert sum(1 for _ in Table(source, Person).find_each(as_="orm")) == PEOPLE
        assert not connection.in_transaction()
        assert not session.in_transaction()
    registry.remove()


def test_the_users_transaction_is_read_in_and_left(engine):
    """Within the user's transaction his own changes are seen, and it goes on after a pass that ended early."""
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(sa.delete(sa.table("notes")))
        connection.execute(sa.delete(Person).where(Person.id > 10))
        rows = Table(connection, Person).find_each(batch_bytes=2_000)
        next(rows)
        rows.close()
        assert list(Table(connection, Person).pluck("id", batch_rows=3)) == list(range(1, 11))
        assert list(Table(connection, "people").pluck("id", batch_bytes=100)) == list(range(1, 11))
        assert connection.in_transaction()
        transaction.rollback()
    assert sum(1 for _ in Table(engine, Person).find_each()) == PEOPLE


def test_pending_changes_are_flushed_first(engine):
    """A session's pending changes are seen by a pass over it, as by its own queries."""
    with Session(engine) as session:
        session.get(Person, 1).name = "changed"
        assert Table(session, Person).page(limit=1)[0]["name"] == "changed"
        session.rollback()


def test_a_session_of_several_databases(sqlite_engine, tmp_path):
    """A session that chooses its database by the class is read in the one it chooses, in a transaction and without."""
    other = sa.create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    Person.metadata.create_all(other)

    class Routed(Session):
        def get_bind(self, mapper=None, **_):
            return sqlite_engine if mapper is not None and mapper.class_ is Person else other

    for session in (Session(other, binds={Person: sqlite_engine}), Routed()):
        with session:
            for source in (Person, sa.select(Person)):
                table = Table(session, source)
                assert sum(1 for _ in table.find_each()) == PEOPLE
                assert sum(1 for _ in table.find_each(as_="orm")) == PEOPLE
            session.execute(sa.select(Person).limit(1))
            assert sum(1 for _ in Table(session, Person).find_each()) == PEOPLE
            assert not list(Table(session, "people").find_each())
    other.dispose()


def test_writing_back_wants_transactions_of_its_own(sqlite_engine):
    """update_each within the user's transaction is refused."""
    with Session(sqlite_engine) as session:
        session.execute(sa.select(1))
        with pytest.raises(errors.UsageError, match="the session is in a transaction"):
            Table(session, Person).update_each(lambda _: None)
        session.rollback()
        assert Table(session, Person).update_each(lambda _: None).seen == PEOPLE


def test_no_source(sqlite_engine):
    """A session without an engine, and other things of SQLAlchemy's, are refused with what to give."""
    with pytest.raises(errors.UsageError, match="bind=engine"):
        Table(Session(), Person)
    with pytest.raises(errors.UsageError, match="Give an Engine"):
        Table(sa.MetaData(), Person)
    with pytest.raises(errors.UsageError, match="select"):
        Table(sqlite_engine, object())


def async_url(engine):
    url = engine.url
    return url.set(drivername="sqlite+aiosqlite") if url.drivername.startswith("sqlite") else url


@pytest.mark.parametrize("kind", ["sqlite_engine", "postgres_engine"])
def test_asynchronous_sources(kind, request):
    """An AsyncEngine, an AsyncConnection and an AsyncSession are read by async for, page and update."""
    engine = request.getfixturevalue(kind)

    async def ids(rows):
        return [row["id"] if isinstance(row, dict) else row.id async for row in rows]

    async def main():
        source = create_async_engine(async_url(engine))
        everyone = list(range(1, PEOPLE + 1))
        for as_ in (dict, "orm"):
            assert await ids(Table(source, Person).find_each(as_=as_, batch_rows=7)) == everyone
        assert await ids(Table(source, "people").find_each(consistency="snapshot")) == everyone
        assert await ids(Table(async_sessionmaker(source), Person).find_each(batch_rows=7)) == everyone
        async with source.connect() as connection:
            assert await ids(Table(connection, Person).find_each(batch_bytes=5_000)) == everyone
            assert not connection.in_transaction()
        async with AsyncSession(source) as session:
            assert await ids(Table(session, Person).find_each(as_="orm", batch_rows=7)) == everyone
            assert not session.in_transaction()
            await session.execute(sa.select(1))
            async for _ in Table(session, Person).find_each(as_="orm", batch_bytes=10_000):
                break
            assert await session.scalar(sa.select(1)) == 1
        page = await Table(source, Person).apage(limit=2)
        assert [row["id"] for row in page] == [1, 2]
        async with Table(source, Person) as table:
            parts = await table.aranges(3)
            assert [key for part in parts for key in await ids(part.find_each(batch_rows=7))] == everyone
            assert await table.acount_estimate() > 0
            assert (await table.aexplain(order_by="-id")).is_served
        done = await Table(source, Person).aupdate_each(lambda row: {"name": "new"} if row["id"] == 1 else None)
        assert done.changed == 1
        await source.dispose()

    asyncio.run(main())


def test_an_asynchronous_source_by_a_plain_call(sqlite_engine):
    """A plain call of an asynchronous source is refused with what to use, and a wrong argument is said when it starts."""

    async def main():
        source = create_async_engine(async_url(sqlite_engine))
        with pytest.raises(errors.UsageError, match="async for"):
            next(iter(Table(source, Person).find_each()))
        with pytest.raises(errors.UsageError, match="no column"):
            await anext(aiter(Table(source, Person).find_each(order_by="nothing")))
        await source.dispose()

    asyncio.run(main())


def test_a_synchronous_source_in_a_coroutine(sqlite_engine):
    """A synchronous engine in a coroutine is waited for in a thread."""

    async def main():
        return sum([1 async for _ in Table(sqlite_engine, Person).find_each(batch_rows=7)])

    assert asyncio.run(main()) == PEOPLE


def test_a_lost_connection_is_said(postgres_engine):
    """A connection that the server ended is a BrokenError that says how to go on."""
    rows = Table(postgres_engine, Person).find_each(batch_rows=5)
    next(rows)
    with postgres_engine.connect() as connection:
        kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        connection.exec_driver_sql(kill).fetchall()
        own = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        other = postgres_engine.raw_connection()
        other.cursor().execute(f"SELECT pg_terminate_backend({own})")
        other.close()
        with pytest.raises(errors.BrokenError, match="after=token"):
            list(Table(connection, Person).find_each())
        connection.invalidate()
