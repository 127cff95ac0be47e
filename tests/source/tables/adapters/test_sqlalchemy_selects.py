"""What pages can be cut from, and what is refused."""

from __future__ import annotations

import itertools

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import aliased
from sqlalchemy_models import PEOPLE, Mood, Note, Pair, Person

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


class Lower(sa.types.TypeDecorator):
    """Shows less than the database has."""

    impl = sa.String(20)
    cache_ok = True

    def process_result_value(self, value, dialect):
        return value and value[:1]


class Number:
    """A key of the program's own kind."""

    def __init__(self, value):
        self.value = value


class NumberType(sa.types.TypeDecorator):
    impl = sa.Integer
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value and value.value

    def process_result_value(self, value, dialect):
        return Number(value)


class Own(orm.DeclarativeBase):
    pass


class Thing(Own):
    __tablename__ = "typed_things"
    id: orm.Mapped[Number] = orm.mapped_column(NumberType, primary_key=True, autoincrement=False)
    code: orm.Mapped[str] = orm.mapped_column(Lower(), index=True)
    real: orm.Mapped[float] = orm.mapped_column(sa.REAL)
    short: orm.Mapped[float] = orm.mapped_column(sa.Float(20))
    flag: orm.Mapped[bool]
    mood: orm.Mapped[Mood] = orm.mapped_column(sa.Enum(Mood, name="typed_mood"))


class Worker(Own):
    __tablename__ = "workers"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    kind: orm.Mapped[str] = orm.mapped_column(sa.String(10))
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "worker"}  # noqa: RUF012 - SQLAlchemy's


class Engineer(Worker):
    __tablename__ = "engineers"
    id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("workers.id"), primary_key=True)
    language: orm.Mapped[str] = orm.mapped_column(sa.String(10))
    __mapper_args__ = {"polymorphic_identity": "engineer"}  # noqa: RUF012 - SQLAlchemy's


class Manager(Worker):
    level: orm.Mapped[int | None]
    __mapper_args__ = {"polymorphic_identity": "manager"}  # noqa: RUF012 - SQLAlchemy's


@pytest.fixture(scope="module")
def typed(engine):
    """The engine, with things of odd types and workers of three kinds."""
    Own.metadata.drop_all(engine)
    Own.metadata.create_all(engine)
    with orm.Session(engine) as session:
        session.add_all(
            Thing(
                id=Number(n), code=f"code {n}", real=n % 7 / 10, short=n % 7 / 10, flag=n % 2 == 0, mood=Mood(1 + n % 2)
            )
            for n in range(1, 61)
        )
        session.add_all([Worker() for _ in range(20)] + [Manager(level=1) for _ in range(20)])
        session.add_all([Engineer(language="c") for _ in range(20)])
        session.commit()
    yield engine
    Own.metadata.drop_all(engine)


@pytest.mark.parametrize("column", ["real", "short", "flag", "id"])
def test_keys_are_compared_as_what_they_are(typed, column):
    """Numbers of four bytes, booleans and types of the program's own: each row once, in one query's order."""
    if column == "short" and typed.dialect.name in {"mysql", "mariadb"}:
        with pytest.raises(errors.UsageError, match="FLOAT"):
            Table(typed, Thing).find_each(order_by=column, allow_scan=True)
        return
    with typed.connect() as connection:
        expected = connection.scalars(
            sa.select(sa.type_coerce(Thing.id, sa.Integer)).order_by(getattr(Thing, column), Thing.id)
        ).all()
    table = Table(typed, Thing)
    asked = {"order_by": column, "batch_rows": 7, "allow_scan": True}
    assert [key.value for key in itertools.islice(table.pluck("id", **asked), 100)] == expected
    assert [each.id.value for each in itertools.islice(table.find_each(as_="orm", **asked), 100)] == expected


@pytest.mark.parametrize("as_", [dict, "orm"])
def test_a_type_that_does_not_give_back_what_it_got(typed, as_):
    """A column whose type changes values cannot be gone on behind, and is refused instead of read for ever."""
    rows = Table(typed, Thing).find_each(as_=as_, order_by="code", batch_rows=7, allow_scan=True)
    with pytest.raises(errors.FlatwaterError, match="value of its own again"):
        list(itertools.islice(rows, 100))


def test_what_mariadb_sorts_by_number(typed):
    """MariaDB's ENUM is sorted by number and compared as text: refused there, and read in order elsewhere."""
    table = Table(typed, Thing)
    if typed.dialect.name in {"mysql", "mariadb"}:
        with pytest.raises(errors.UsageError, match="ENUM"):
            table.pluck("id", order_by="mood", allow_scan=True)
    else:
        assert len({key.value for key in table.pluck("id", order_by="mood", batch_rows=7, allow_scan=True)}) == 60


def test_inheritance(typed):
    """A class of its own table, joined, has its parent's key, and seeks in both tables; one of the same table is a part of it."""
    engineers = Table(typed, Engineer)
    assert engineers.explain().is_served
    with typed.connect() as connection:
        expected = connection.scalars(sa.select(Engineer.__table__.c.id).order_by(sa.text("id"))).all()
    assert [each.id for each in engineers.find_each(as_="orm", batch_rows=7)] == expected
    assert [row["id"] for row in engineers.find_each(batch_rows=7)] == expected
    managers = Table(typed, Manager)
    assert int(managers.count_estimate()) == len(list(managers.find_each())) == 20


def test_subqueries_among_the_columns(engine):
    """A counting subquery in a column leaves the select what it is: its objects can be read, and indexes serve."""
    counted = sa.select(sa.func.count(Note.id)).where(Note.person_id == Person.id).scalar_subquery().label("number")
    wanted = sa.select(Person.id, counted)
    assert Table(engine, wanted).explain().is_served
    assert {row["number"] for row in Table(engine, wanted).find_each(batch_rows=7)} == {2}
    both = target_of(sa.select(Person, counted), Relation())
    assert both.base is not None
    assert both.key == ("id",)


def test_a_labelled_key(engine):
    """The key of a select's only table is known under its label, too."""
    table = Table(engine, sa.select(Person.id.label("number"), Person.name))
    assert [row["number"] for row in table.find_each(batch_rows=7)] == list(range(1, PEOPLE + 1))
