"""What the tests of the SQLAlchemy adapter map: people and their notes, in each database."""

from __future__ import annotations

import contextlib
import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

PEOPLE = 60


class Base(DeclarativeBase):
    pass


class Mood(enum.Enum):
    good = 1
    bad = 2


class Person(Base):
    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(50))
    mood: Mapped[Mood]
    born: Mapped[dt.datetime]
    rank: Mapped[int | None]
    extra: Mapped[dict | None] = mapped_column(sa.JSON)
    notes: Mapped[list[Note]] = relationship(back_populates="person", order_by="Note.id")
    __table_args__ = (sa.Index("people_rank", "rank", "id"),)


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("people.id"), index=True)
    body: Mapped[str] = mapped_column(sa.String(50))
    person: Mapped[Person] = relationship(back_populates="notes")


class Pair(Base):
    __tablename__ = "pairs"
    left: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    right: Mapped[str] = mapped_column(sa.String(20), primary_key=True)


def fill(engine):
    """The tables, with rows in them."""
    Base.metadata.create_all(engine)
    day = dt.datetime(2020, 1, 1)  # noqa: DTZ001 - as databases have it
    with Session(engine) as session:
        session.add_all(
            Person(
                id=number, name=f"name {number}", mood=Mood.good if number % 2 else Mood.bad, born=day + dt.timedelta(number),
                rank=None if number % 7 == 0 else number // 10, extra={"number": [number]},
            )
            for number in range(1, PEOPLE + 1)
        )  # fmt: skip
        session.flush()
        session.add_all(
            Note(id=number, person_id=1 + number % PEOPLE, body="said") for number in range(1, 2 * PEOPLE + 1)
        )
        session.add_all(Pair(left=left, right=right) for left in range(5) for right in "abcd")
        session.commit()
    return engine


@contextlib.contextmanager
def engine_of(kind, tmp_path, request):
    """An engine of a filled database: "sqlite", "postgres" or "mariadb"."""
    if kind == "sqlite":
        engine = sa.create_engine(f"sqlite:///{tmp_path / 'people.db'}")
        yield fill(engine)
        engine.dispose()
        return
    with request.getfixturevalue(kind).database() as database:
        engine = sa.create_engine(database.sqlalchemy_url)
        try:
            yield fill(engine)
        finally:
            engine.dispose()


@contextlib.contextmanager
def counted(engine):
    """The statements that an engine sends meanwhile."""
    sent = []

    def note(_connection, _cursor, statement, *_):
        sent.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
