"""SQLAlchemy: whatever way a result is read, it is cut off; sessions, lazy loads, coroutines."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as sa_asyncio

import flatwater as fw
from flatwater.source.guard import PageTooLarge, page_guard


class Base(orm.DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(100))
    books: orm.Mapped[list[Book]] = orm.relationship(back_populates="author")


class Book(Base):
    __tablename__ = "books"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    author_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("authors.id"))
    title: orm.Mapped[str] = orm.mapped_column(sa.String(100))
    author: orm.Mapped[Author] = orm.relationship(back_populates="books")


def fill(connection):
    """Five authors; the first has 300 books, the others 2 each."""
    Base.metadata.create_all(connection)
    connection.execute(sa.insert(Author), [{"id": number, "name": f"author {number}"} for number in range(1, 6)])
    books = [{"id": number, "author_id": 1, "title": f"title {number}"} for number in range(1, 301)]
    books += [{"id": 300 + number, "author_id": 2 + number % 4, "title": "other"} for number in range(1, 9)]
    connection.execute(sa.insert(Book), books)


@pytest.fixture(scope="module", params=["sqlite", "postgres", "mariadb"])
def engine(request, tmp_path_factory):
    """An engine that blocks guard, on each server."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('guard')}/books.db"
    else:
        url = request.getfixturevalue(f"{request.param}_database").sqlalchemy_url
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        fill(connection)
    page_guard.install(engine, max_rows=None, max_bytes=None)
    yield engine
    engine.dispose()


READERS = {
    "all": lambda result: result.all(),
    "fetchall": lambda result: result.fetchall(),
    "fetchmany": lambda result: [result.fetchmany(60), result.fetchmany(60)],
    "iteration": list,
    "partitions": lambda result: list(result.partitions(10)),
    "scalars": lambda result: result.scalars().all(),
    "mappings": lambda result: result.mappings().all(),
    "fetchone": lambda result: [result.fetchone() for _ in range(101)],
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("options", [{}, {"yield_per": 20}, {"stream_results": True}], ids=["", "yield_per", "stream"])
def test_every_way_to_read_is_cut_off(engine, reader, options):
    """However rows are fetched, the 101st is refused; the connection goes on after a rollback."""
    with engine.connect() as connection:
        with page_guard(max_rows=100), pytest.raises(PageTooLarge) as caught:
            READERS[reader](connection.execute(sa.select(Book), execution_options=options))
        assert caught.value.rows == 101
        assert caught.value.statement.startswith("SELECT books.id")
        connection.rollback()
        assert connection.scalar(sa.select(sa.func.count()).select_from(Book)) == 308


@pytest.mark.parametrize("reader", ["all", "iteration", "fetchmany"])
def test_a_page_is_whole(engine, reader):
    """What fits comes as without a guard."""
    query = sa.select(Book.id).order_by(Book.id).limit(100)
    with page_guard(max_rows=100), engine.connect() as connection:
        rows = READERS[reader](connection.execute(query))
    rows = [row for part in rows for row in part] if reader == "fetchmany" else rows
    assert [row[0] for row in rows] == list(range(1, 101))


def test_objects_are_cut_off(engine):
    """Sessions, legacy queries, eager and lazy relationships go through the same place."""
    with orm.Session(engine) as session:
        for query in (
            lambda: session.scalars(sa.select(Book)).all(),
            lambda: session.query(Book).all(),
            lambda: list(session.query(Book).yield_per(10)),
            lambda: session.get(Author, 1).books,
            lambda: session.scalars(sa.select(Author).options(orm.selectinload(Author.books))).all(),
            lambda: session.scalars(sa.select(Author).options(orm.joinedload(Author.books))).unique().all(),
        ):
            with page_guard(max_rows=100), pytest.raises(PageTooLarge):
                query()
            session.rollback()
        with page_guard(max_rows=100):
            assert len(session.get(Author, 2).books) == 2
            assert session.query(Book).first().id == 1


def test_writes_pass(engine):
    """Inserting and changing more rows than a page is none of the guard's business, with RETURNING or without."""
    with page_guard(max_rows=10), engine.begin() as connection:
        connection.execute(sa.insert(Author), [{"id": 100 + number, "name": "new"} for number in range(50)])
        assert connection.execute(sa.update(Author).where(Author.name == "new").values(name="old")).rowcount == 50
        if engine.dialect.insert_returning:
            old = [{"id": 200 + number, "name": "old"} for number in range(50)]
            rows = connection.execute(sa.insert(Author).returning(Author.id), old).all()
            assert len(rows) == 50
        connection.execute(sa.delete(Author).where(Author.name == "old"))


def test_empty_results(engine):
    """No rows are no error."""
    with page_guard(max_rows=10), engine.connect() as connection:
        for _ in range(2):
            assert connection.execute(sa.select(Book).where(Book.id < 0)).all() == []
            assert connection.scalar(sa.select(Book.title).where(Book.id == -1)) is None


def test_text_and_parameters(engine):
    """Statements as text are cut off too; parameters do not show in the error."""
    with engine.connect() as connection, page_guard(max_rows=10), pytest.raises(PageTooLarge) as caught:
        connection.execute(sa.text("SELECT * FROM books WHERE title <> :secret"), {"secret": "hidden"}).all()
    assert "hidden" not in str(caught.value)


def test_a_block_takes_the_place_of_the_standing_limits():
    """An engine's own limits hold for everyone; a handler may allow more, or less."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    with engine.begin() as connection:
        fill(connection)
        page_guard.install(engine, max_rows=100)
        with pytest.raises(PageTooLarge, match="100 rows"):
            connection.execute(sa.select(Book)).all()
        with page_guard(max_rows=1_000):
            assert len(connection.execute(sa.select(Book)).all()) == 308
        with page_guard(max_rows=50), pytest.raises(PageTooLarge, match="50 rows"):
            connection.execute(sa.select(Book)).all()
        page_guard.install(engine, max_rows=400)
        assert len(connection.execute(sa.select(Book)).all()) == 308


def test_coroutines(tmp_path):
    """AsyncSession and AsyncConnection on aiosqlite: each task has its own guard."""

    async def main():
        engine = sa_asyncio.create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/books.db")
        page_guard.install(engine, max_rows=None, max_bytes=None)
        async with engine.begin() as connection:
            await connection.run_sync(fill)

        async def handler(allowed):
            async with page_guard(max_rows=allowed), sa_asyncio.AsyncSession(engine) as session:
                try:
                    return len((await session.scalars(sa.select(Book))).all())
                except PageTooLarge as error:
                    return error.rows

        assert await asyncio.gather(*map(handler, [10, 1_000, 100, 308])) == [11, 308, 101, 308]
        async with engine.connect() as connection:
            with page_guard(max_rows=100):
                with pytest.raises(PageTooLarge):
                    await connection.execute(sa.select(Book))
                assert (await connection.execute(sa.select(Book).where(Book.id < 0))).all() == []
                result = await connection.stream(sa.select(Book))
                with pytest.raises(PageTooLarge):
                    async for _ in result:
                        pass
            assert len((await connection.execute(sa.select(Book))).all()) == 308
        await engine.dispose()

    asyncio.run(main())


def test_coroutines_on_postgres(postgres_database):
    """psycopg's asynchronous connections are cut off while the rows come, in a transaction and without one."""

    async def main():
        engine = sa_asyncio.create_async_engine(postgres_database.sqlalchemy_url)
        page_guard.install(engine)
        numbers = "SELECT i FROM generate_series(1, {}) i"
        for level, state in (("AUTOCOMMIT", "usable"), ("READ COMMITTED", "aborted")):
            async with engine.connect() as plain:
                connection = await plain.execution_options(isolation_level=level)
                with page_guard(max_rows=100):
                    result = await connection.execute(sa.text(numbers.format(100)))
                    assert len(result.all()) == 100
                    result = await connection.execute(sa.text(numbers.format(0)))
                    assert list(result.keys()) == ["i"]
                    assert result.all() == []
                    with pytest.raises(PageTooLarge) as caught:
                        await connection.execute(sa.text(numbers.format(1_000_000)))
                assert caught.value.transaction == state
                await connection.rollback()
                assert (await connection.execute(sa.text("SELECT 1"))).all() == [(1,)]
        await engine.dispose()

    asyncio.run(main())


def test_a_lost_connection_is_said_as_what_it_is(mariadb):
    """Where the server lets nobody in to stop the query, the refusal still comes through, and the pool drops the connection."""
    with mariadb.database() as database:
        database.execute(
            "CREATE USER lone IDENTIFIED BY 'x' WITH MAX_USER_CONNECTIONS 1", f"GRANT ALL ON {database.name}.* TO lone"
        )
        url = sa.make_url(database.sqlalchemy_url).set(username="lone", password="x")
        engine = sa.create_engine(url)
        page_guard.install(engine, max_rows=10)
        with engine.connect() as connection, pytest.raises(PageTooLarge) as caught:
            connection.execute(sa.text("SELECT seq FROM seq_1_to_1000000"))
        assert caught.value.transaction == "lost"
        assert engine.pool.checkedin() == 1
        assert not connection.invalidated
        engine.dispose()
        database.execute("DROP USER lone")


def test_raw_connections_are_wrapped(engine):
    """`raw_connection` gives the driver's own; wrapped, it is guarded."""
    raw = engine.raw_connection()
    connection = page_guard.wrap(raw, max_rows=10)

    def read():
        cursor = connection.cursor()
        cursor.execute("SELECT * FROM books")
        return cursor.fetchall()

    with pytest.raises(PageTooLarge):
        read()
    raw.close()


def test_what_is_no_engine_is_refused():
    """A session is told to pass its engine."""
    with pytest.raises(fw.errors.UsageError, match="Engine"):
        page_guard.install(orm.Session(sa.create_engine("sqlite://")))
