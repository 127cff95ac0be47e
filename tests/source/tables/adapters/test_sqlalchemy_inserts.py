"""Rows into tables over SQLAlchemy: its types and defaults, whose transaction it is, engines of every kind."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from flatwater import errors
from flatwater.source.tables.creating import NotCreated
from flatwater.source.tables.table import Table


class Base(DeclarativeBase):
    pass


class Mood(enum.Enum):
    good = 1
    bad = 2


class Thing(Base):
    __tablename__ = "things"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column("the name", sa.String(50))
    mood: Mapped[Mood] = mapped_column(default=Mood.bad)
    token: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4)
    made: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    extra: Mapped[dict | None] = mapped_column(sa.JSON)
    late: Mapped[str | None] = mapped_column(sa.String(10), deferred=True)
    kind: Mapped[str] = mapped_column(sa.String(10))
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "thing"}  # noqa: RUF012 - SQLAlchemy's way


class Ordered(Base):
    __tablename__ = "ordered"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(default=sa.func.now())


@pytest.fixture
def things(fresh_engine):
    """An engine with the tables."""
    Base.metadata.create_all(fresh_engine)
    return fresh_engine


def test_types_and_defaults_are_sqlalchemys(things):
    """Rows of a mapped class have its names, types and defaults; what it defers can be written too."""
    day = dt.datetime(2024, 5, 6, 7, 8)  # noqa: DTZ001 - as databases have it
    table = Table(things, Thing)
    done = table.create_many(
        [
            {"id": 1, "name": "a % b", "mood": Mood.good, "made": day, "extra": {"n": [1]}, "late": "l"},
            {"id": 2, "name": "b"},
        ]
    )
    assert done.written == 2
    with Session(things) as session:
        first, second = session.scalars(sa.select(Thing).order_by(Thing.id))
        assert (first.name, first.mood, first.made, first.extra, first.late) == (
            "a % b", Mood.good, day, {"n": [1]}, "l",
        )  # fmt: skip
        assert (second.mood, second.extra, second.kind) == (Mood.bad, None, "thing")
        assert first.token != second.token
        assert isinstance(second.token, uuid.UUID)


def test_conflicts(things):
    """skip and update go by the class's key, under its names, and count the same in each database."""
    table = Table(things, Thing)
    table.create_many([{"id": 1, "name": "one"}])
    done = table.create_many([{"id": 1, "name": "x"}, {"id": 2, "name": "two"}], on_conflict="skip")
    assert (done.written, done.skipped) == (1, 1)
    table.create_many([{"id": 1, "name": "ONE"}], on_conflict="update")
    assert list(table.pluck("name")) == ["ONE", "two"]
    with pytest.raises(NotCreated, match=r"row 2 .*Nothing is committed"):
        table.create_many([{"id": 3, "name": "x"}, {"id": 1, "name": "x"}])
    assert len(list(table.find_each())) == 2


def test_a_table_by_its_name(things):
    """A table by its name takes the driver's values."""
    table = Table(things, "ordered")
    day = dt.datetime(2024, 5, 6)  # noqa: DTZ001 - as databases have it
    assert table.create_many([(at, day) for at in range(1, 8)], batch_rows=3).transactions == 3
    assert len(list(table.find_each())) == 7


def test_a_default_in_sql_must_be_given(things):
    """A default that is SQL is none of these statements: the row must have the column."""
    with pytest.raises(errors.UsageError, match="lacks at"):
        Table(things, Ordered).create_many([{"id": 1}])
    with pytest.raises(errors.UsageError, match="no column 'nam'"):
        Table(things, Thing).create_many([{"id": 1, "nam": "x"}])
    with pytest.raises(errors.UsageError, match="is a select"):
        Table(things, sa.select(Thing)).create_many([{"id": 1}])


def test_whose_transaction_it_is(things):
    """A session without a transaction is written over and left so; one with a transaction of the user's is refused."""
    with Session(things) as session:
        assert Table(session, Thing).create_many([{"id": 1, "name": "a"}]).written == 1
        assert not session.in_transaction()
        session.add(Thing(id=2, name="b"))
        session.flush()
        with pytest.raises(errors.UsageError, match="session is in a transaction"):
            Table(session, Thing).create_many([{"id": 3, "name": "c"}])
        session.rollback()
    assert list(Table(things, Thing).pluck("id")) == [1]
    at_once = things.execution_options(isolation_level="AUTOCOMMIT")
    with pytest.raises(errors.UsageError, match="AUTOCOMMIT"):
        Table(at_once, Thing).create_many([{"id": 4, "name": "x"}])


@pytest.mark.parametrize("what", [Thing, "things"])
def test_a_writer(things, what):
    """A writer has a connection of the engine's own: rows and state come together, and go together."""
    row = (
        {"name": "a", "mood": Mood.good}
        if what is Thing
        else {"the name": "a", "mood": "good", "token": "0" * 32, "kind": "thing"}
    )
    with Session(things) as session:
        session.execute(sa.select(1))
        table = Table(session if what is Thing else things, what)
        with table.writer() as writer:
            writer.write([{"id": 1, **row}, {"id": 2, **row}])
            writer.commit(("job", b"\x002"))
            writer.write([{"id": 3, **row}])
            with pytest.raises(NotCreated, match="row 1 "):
                writer.write([{"id": 3, **row}])
            writer.rollback()
            assert writer.state_of("job") == b"\x002"
            writer.write([{"id": 4, **row}])
    with things.connect() as connection:
        assert connection.scalars(sa.text("SELECT id FROM things ORDER BY id")).all() == [1, 2]
    assert things.pool.checkedout() == 0
    with Table(things.execution_options(isolation_level="AUTOCOMMIT"), what).writer() as writer:
        writer.write([{"id": 5, **row}])
    assert len(list(Table(things, what).pluck("id"))) == 2


def test_a_database_in_memory():
    """An engine with one connection for all is written by create_many; a writer is refused."""
    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    table = Table(engine, Thing)
    assert table.create_many([{"name": "a"}, {"name": "b"}], batch_rows=1).transactions == 2
    with pytest.raises(errors.UsageError, match="one connection for all"), table.writer():
        pass


def test_an_asynchronous_engine(tmp_path):
    """An asynchronous engine is written from coroutines, and refused from a plain call."""

    async def rows():
        for at in range(1, 6):
            yield {"id": at, "name": f"name {at}"}

    async def main():
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        table = Table(engine, Thing)
        with pytest.raises(errors.UsageError, match="asynchronous"):
            table.create_many([{"id": 9, "name": "x"}])
        done = await table.acreate_many(rows(), batch_rows=2)
        again = await table.acreate_many([{"id": 1, "name": "again"}], on_conflict="update")
        found = [row async for row in table.pluck("name")]
        await engine.dispose()
        return done.transactions, again.written, found

    assert asyncio.run(main()) == (3, 1, ["again", "name 2", "name 3", "name 4", "name 5"])
