"""Mapped objects: whose they are, what they weigh."""

from __future__ import annotations

import gc

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy_models import PEOPLE, Mood, Note, Person, counted

from flatwater import errors
from flatwater.source.tables.adapters.sqlalchemy_orm import object_bytes
from flatwater.source.tables.table import Table


def test_objects_of_an_engine_are_detached(engine):
    """Objects read with an engine belong to no session, and what was loaded can be read."""
    people = list(Table(engine, Person).find_each(as_="orm", batch_rows=9))
    assert [person.id for person in people] == list(range(1, PEOPLE + 1))
    assert (people[0].name, people[0].mood, people[0].extra) == ("name 1", Mood.good, {"number": [1]})
    assert all(sa.inspect(person).detached for person in people)
    with pytest.raises(sa.orm.exc.DetachedInstanceError):
        _ = people[0].notes


def test_objects_of_a_session_are_its_own(fresh_engine):
    """Objects read with a session are in it while they are used: changes are kept and written, the others are gone."""
    with Session(fresh_engine) as session:
        for person in Table(session, Person).find_each(as_="orm", batch_rows=7):
            if person.id % 20 == 0:
                person.name = "changed"
        del person
        gc.collect()
        assert len(session.identity_map) <= 7 + 3
        session.commit()
    with Session(fresh_engine) as session:
        assert list(session.scalars(sa.select(Person.id).where(Person.name == "changed").order_by(Person.id))) == [
            20,
            40,
            60,
        ]


def test_what_the_user_changed_is_not_overwritten(sqlite_engine):
    """An object that the user holds and changed comes as he changed it."""
    with Session(sqlite_engine, autoflush=False) as session:
        mine = session.get(Person, 2)
        mine.name = "mine"
        given = [person for person in Table(session, Person).find_each(as_="orm", batch_rows=7) if person.id == 2]
        assert given == [mine]
        assert mine.name == "mine"


def test_nothing_is_read_a_second_time(engine):
    """Outside of a transaction, a page's end leaves its objects loaded: no statement for each of them."""
    with Session(engine) as session, counted(engine) as sent:
        names = [person.name for person in Table(session, Person).find_each(as_="orm", batch_rows=20)]
        assert len(names) == PEOPLE
        assert not session.in_transaction()
    assert len(sent) < 20


def test_collections_are_loaded_a_page_at_a_time(engine):
    """selectinload() is one statement for a page."""
    rows = Table(engine, sa.select(Person).options(selectinload(Person.notes)))
    with counted(engine) as sent:
        assert [len(person.notes) for person in rows.find_each(as_="orm", batch_rows=20)] == [2] * PEOPLE
    assert sum("notes" in statement for statement in sent) == 3


def test_joined_objects(engine):
    """joinedload() of one object is kept; of a collection it is refused, with what to use."""
    notes = Table(engine, sa.select(Note).options(joinedload(Note.person)))
    assert [note.person.id for note in notes.find_each(as_="orm", batch_rows=50)] == [
        1 + n % PEOPLE for n in range(1, 2 * PEOPLE + 1)
    ]
    with pytest.raises(errors.UsageError, match="selectinload"):
        Table(engine, sa.select(Person).options(joinedload(Person.notes))).find_each(as_="orm")
    plain = Table(engine, sa.select(Person).options(joinedload(Person.notes))).find_each()
    assert sum(1 for _ in plain) == PEOPLE


def test_batches_end_by_bytes(engine):
    """Batches of objects are bounded by their heap bytes, and one larger than the bound passes alone."""
    table = Table(engine, Person)
    sizes = [len(batch) for batch in table.batches(as_="orm", batch_bytes=20_000)]
    assert sum(sizes) == PEOPLE
    assert 3 < len(sizes) < PEOPLE
    assert [len(batch) for batch in table.batches(as_="orm", batch_bytes=1)] == [1] * PEOPLE


def test_columns_are_no_objects(sqlite_engine):
    """as_="orm" of columns or of SQL text says what it needs."""
    with pytest.raises(errors.UsageError, match="mapped class"):
        Table(sqlite_engine, sa.select(Person.id, Person.name)).find_each(as_="orm")
    with pytest.raises(errors.UsageError, match="mapped class"):
        Table(sqlite_engine, "people").find_each(as_="orm")


def test_the_place_of_objects(sqlite_engine):
    """Between batches the place is known; within one it is said that it is not, and how to get it."""
    batches = Table(sqlite_engine, Person).batches(as_="orm", batch_rows=10)
    next(batches)
    rest = Table(sqlite_engine, Person).find_each(as_="orm", after=batches.token)
    assert next(rest).id == 11
    with pytest.raises(errors.UsageError, match="batches"):
        _ = rest.token


WEIGHING = """
import sys
sys.path.insert(0, sys.argv[1])
import sqlalchemy as sa, flatwater as fw
from sqlalchemy.orm import Session
from sqlalchemy_models import Person, Base, Mood
import datetime as dt
from flatwater.source.tables.adapters.sqlalchemy_orm import object_bytes
from flatwater.source.tables.table import Table
engine = sa.create_engine("sqlite:///" + sys.argv[2])
Base.metadata.create_all(engine)
with engine.begin() as connection:
    connection.execute(sa.insert(Person), [
        dict(id=i, name="n" * 40, mood=Mood.good, born=dt.datetime(2020, 1, 1), rank=i, extra={"a": "x" * 100}) for i in range(8000)
    ])
list(Table(engine, Person).find_each(as_="orm", finish=100))
batches = Table(engine, Person).batches(as_="orm", batch_bytes="64 MiB", batch_rows=8_000)
with fw.measure("objects") as reading:
    batch = next(batches)
print(reading.retained, sum(object_bytes(each, set()) for each in batch), len(batch))
"""


@pytest.mark.slow
def test_what_objects_weigh(tmp_path, request):
    """The weight of 8,000 objects is 0.8 to 1.5 of what the operating system saw."""
    import subprocess
    import sys

    folder = str(request.path.parent)
    command = [sys.executable, "-c", WEIGHING, folder, str(tmp_path / "people.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen, weighed, count = map(int, done.stdout.split())
    assert count == 8_000
    assert 0.8 <= weighed / seen <= 1.5


def test_shared_objects_weigh_once(sqlite_engine):
    """An object that several refer to counts once."""
    notes = list(
        Table(sqlite_engine, sa.select(Note).options(joinedload(Note.person))).find_each(as_="orm", finish=2 * PEOPLE)
    )
    twice = [note for note in notes if note.person_id == 5]
    seen = set()
    first, second = (object_bytes(note, seen) for note in twice)
    assert second < first
