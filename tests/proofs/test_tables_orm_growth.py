"""Passes over SQLAlchemy and Django in fresh processes: flat however many rows; what keeps its objects grows with them."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

import flatwater as fw

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SIZES = "500..8k"
ROWS = 32_000  # a proof that is not sure doubles its sizes


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A SQLite file with 32,000 short rows: SQLite keeps pages of its file, and those are not the matter."""
    made = str(tmp_path_factory.mktemp("growth") / "people.db")
    with contextlib.closing(sqlite3.connect(made)) as connection:
        connection.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
        connection.executemany("INSERT INTO people VALUES (?, ?)", ((n, f"{n}") for n in range(1, ROWS + 1)))
        connection.commit()
    return made


def with_session(n, path, *, keep):
    """Objects of a session, each tenth of them changed; the session flushes them."""
    import sqlalchemy as sa
    from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

    from flatwater.source.tables.table import Table

    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "people"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.Text)

    kept = []
    engine = sa.create_engine(f"sqlite:///{path}")
    sa.event.listen(
        engine, "connect", lambda connection, _: connection.execute("PRAGMA cache_size = -64")
    )  # SQLite's own
    with Session(engine) as session:
        for person in Table(session, Person).find_each(as_="orm", finish=n, batch_rows=200):
            if person.id % 10 == 0:
                person.name = "changed"
            if keep:
                kept.append(person)
        session.rollback()


def with_engine(n, path, *, keep):
    """Plain columns and detached objects of an engine."""
    import sqlalchemy as sa
    from sqlalchemy.orm import DeclarativeBase, mapped_column

    from flatwater.source.tables.table import Table

    class Base(DeclarativeBase):
        pass

    class Person(Base):
        __tablename__ = "people"
        id = mapped_column(sa.Integer, primary_key=True)
        name = mapped_column(sa.Text)

    kept = []
    engine = sa.create_engine(f"sqlite:///{path}")
    for as_ in ("orm", dict):
        for row in Table(engine, Person).find_each(as_=as_, finish=n, batch_rows=200):
            if keep:
                kept.append(row)  # noqa: PERF401 - the twin is the same loop


def with_django(n, path, *, keep):
    """Objects of a QuerySet."""
    import django
    from django.conf import settings

    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": path,
                "OPTIONS": {"init_command": "PRAGMA cache_size = -64"},
            }
        }
    )
    django.setup()
    from django.db import models

    from flatwater.source.tables.table import Table

    class Person(models.Model):  # noqa: DJ008 - never shown
        id = models.IntegerField(primary_key=True)
        name = models.TextField()

        class Meta:
            app_label = "growth"
            db_table = "people"

    kept = []
    for person in Table(Person).find_each(as_="orm", finish=n, batch_rows=200):
        if keep:
            kept.append(person)  # noqa: PERF401 - the twin is the same loop


WAYS = {with_session: "sqlalchemy.orm", with_engine: "sqlalchemy.orm", with_django: "django.db.models"}


def proof_of(way, path, *, keep):
    """By 128 bytes a row, where objects take hundreds."""

    def scenario(n):
        way(n, path, keep=keep)

    library = pytest.importorskip(WAYS[way])
    scenario.needs = library  # sent along, so that it is imported before the call: else that is most of its time
    return fw.prove(scenario, sizes=SIZES, resolution=128)


@pytest.mark.parametrize("way", WAYS)
def test_a_pass_is_flat(way, path):
    """500 to 8,000 rows: the peak is that of a batch."""
    proof = proof_of(way, path, keep=False)
    if proof.verdict == "grows":  # beside others on the machine, once by 16 bytes a row: what grows, grows again
        proof = proof_of(way, path, keep=False)
    assert (proof.verdict, proof.outcome) == ("constant", "holds"), str(proof)


@pytest.mark.parametrize("way", WAYS)
def test_its_twin_that_keeps_objects_grows(way, path):
    """The same pass with a list of all its objects grows with each row."""
    proof = proof_of(way, path, keep=True)
    assert (proof.verdict, proof.outcome) == ("grows", "fails"), str(proof)
    assert proof.bytes_per_item > 200
