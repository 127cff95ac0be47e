"""What pages can be cut from, and what is refused."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlalchemy_models import PEOPLE, Note, Pair, Person

from flatwater import errors
from flatwater.source.tables.adapters.sqlalchemy_selects import target_of
from flatwater.source.tables.shape import Relation
from flatwater.source.tables.table import Table


def test_a_select_with_conditions(engine):
    """A select's own conditions hold, and its table's key is known."""
    wanted = sa.select(Person.id, Person.name).where(Person.rank.is_not(None), Person.id > 30)
    rows = list(Table(engine, wanted).find_each(batch_rows=4))
    assert [row["id"] for row in rows] == [number for number in range(31, PEOPLE + 1) if number % 7]
    assert set(rows[0]) == {"id", "name"}


def test_a_join_wants_a_key(engine):
    """A join may repeat rows, so its key is to be named; equal names are told apart."""
    joined = sa.select(Note, Person).join(Person, Note.person_id == Person.id)
    with pytest.raises(errors.UsageError, match='key="id"'):
        Table(engine, joined).find_each()
    rows = list(Table(engine, joined, key="id").find_each(batch_rows=50, allow_scan=True))
    assert len(rows) == 2 * PEOPLE
    assert {"id", "id_1", "body", "name"} <= set(rows[0])
    pairs = list(Table(engine, joined, key="id").find_each(as_="orm", batch_rows=50, allow_scan=True))
    assert all(note.person_id == person.id for note, person in pairs)


def test_groups_and_limits_become_subqueries(engine):
    """Groups, limits, unions and numbered rows keep their meaning: conditions come after them."""
    groups = sa.select(Note.person_id, sa.func.count().label("notes")).group_by(Note.person_id)
    rows = list(Table(engine, groups, key="person_id").find_each(batch_rows=9, allow_scan=True))
    assert len(rows) == PEOPLE
    assert {row["notes"] for row in rows} == {2}
    some = sa.select(Person.id).limit(20)
    assert len(list(Table(engine, some, key="id").pluck("id", batch_rows=6, allow_scan=True))) == 20
    numbered = sa.select(Person.id, sa.func.row_number().over(order_by=Person.id).label("n"))
    assert [row["n"] for row in Table(engine, numbered, key="id").find_each(batch_rows=9, allow_scan=True)] == list(
        range(1, PEOPLE + 1)
    )
    both = sa.union_all(sa.select(Pair.left.label("n")).where(Pair.right == "a"), sa.select(sa.literal(7)))
    assert list(Table(engine, both, key="n").pluck("n", batch_rows=2, allow_scan=True)) == [0, 1, 2, 3, 4, 7]


def test_an_order_of_its_own_is_refused(sqlite_engine):
    """A select's order is never silently dropped."""
    with pytest.raises(errors.UsageError, match="order_by"):
        Table(sqlite_engine, sa.select(Person).order_by(Person.name))


def test_conditions_as_text_are_for_text(sqlite_engine):
    """where= goes with SQL text alone."""
    with pytest.raises(errors.UsageError, match="SQL text"):
        Table(sqlite_engine, Person, where="id > 1")


def test_aliases_and_subqueries(engine):
    """An alias of a class or a table is read like it."""
    other = aliased(Person)
    assert len(list(Table(engine, sa.select(other)).find_each(as_="orm", batch_rows=9))) == PEOPLE
    short = sa.select(Person.id).where(Person.id < 5).subquery()
    assert list(Table(engine, short, key="id").pluck("id")) == [1, 2, 3, 4]


def test_a_legacy_query(sqlite_engine):
    """A Query of the older kind is its select."""
    with sa.orm.Session(sqlite_engine) as session:
        assert len(list(Table(session, session.query(Person).filter(Person.id < 4)).find_each(as_="orm"))) == 3


def test_types_and_keys(sqlite_engine):
    """The shape tells the key, what may be NULL, and which columns may hold any object."""
    shape = target_of(Person, Relation()).shape(sqlite_engine.dialect)
    assert shape.key == ("id",)
    kinds = {column.name: (column.type, column.nullable) for column in shape.columns}
    assert kinds["rank"] == ("integer", True)
    assert kinds["extra"] == ("json object", True)
    assert target_of(Pair, Relation()).shape(sqlite_engine.dialect).key == ("left", "right")


def test_tokens_are_bound_to_the_select(sqlite_engine):
    """A token of one select is refused by another one, of other parameters too."""
    token = Table(sqlite_engine, sa.select(Person).where(Person.id > 3)).page(limit=2).token
    with pytest.raises(errors.UsageError):
        Table(sqlite_engine, sa.select(Person).where(Person.id > 4)).page(token)
