"""Tables over SQLAlchemy: names, text, classes and selects, on three databases."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy_models import PEOPLE, Mood, Pair, Person, counted

from flatwater import errors
from flatwater.source.tables.table import Table


@dataclasses.dataclass
class Seen:
    id: int
    born: dt.datetime
    mood: Mood


def test_columns_have_sqlalchemys_types(engine):
    """Rows of a mapped class or a Table carry what SQLAlchemy makes of a column: enumerations, dates, documents."""
    for what in (Person, Person.__table__, sa.select(Person)):
        rows = list(Table(engine, what).find_each(batch_rows=7))
        assert len(rows) == PEOPLE
        assert rows[0] == {
            "id": 1, "name": "name 1", "mood": Mood.good, "born": dt.datetime(2020, 1, 2), "rank": 0, "extra": {"number": [1]},  # noqa: DTZ001 - as databases have it
        }  # fmt: skip
        assert [row["id"] for row in rows] == list(range(1, PEOPLE + 1))


def test_a_class_gets_the_same_types(engine):
    """A dataclass's fields are SQLAlchemy's values, not converted a second time."""
    assert next(iter(Table(engine, Person).find_each(as_=Seen))) == Seen(1, dt.datetime(2020, 1, 2), Mood.good)  # noqa: DTZ001 - as databases have it


def test_a_name_gives_the_drivers_values(engine):
    """A table by its name is read as the driver gives it, with conditions in the driver's own marks."""
    mark = "?" if engine.dialect.name == "sqlite" else "%s"
    rows = list(
        Table(engine, "people", where=f"name <> {mark}", params=["name 1"]).find_each(as_=tuple, columns=["id", "name"])
    )
    assert rows[0] == (2, "name 2")
    assert len(rows) == PEOPLE - 1


def test_a_select_as_text(engine):
    """A SELECT as text is read by the key that is given."""
    table = Table(engine, "SELECT id, name FROM people WHERE id > 50", key="id")
    assert list(table.pluck("id", batch_rows=3)) == list(range(51, PEOPLE + 1))


@pytest.mark.parametrize("order_by", ["rank", "-rank"])
def test_nulls_in_the_order(engine, order_by):
    """In an order with NULLs and equal values each row comes once, in the database's own order."""
    down = order_by.startswith("-")
    wanted = sa.select(Person.id).order_by(
        Person.rank.desc() if down else Person.rank, Person.id.desc() if down else Person.id
    )
    with engine.connect() as connection:
        expected = list(connection.scalars(wanted))
    for what in (Person, "people"):
        assert list(Table(engine, what).pluck("id", order_by=order_by, batch_rows=4)) == expected
    orm = Table(engine, Person).find_each(as_="orm", order_by=order_by, batch_rows=4)
    assert [person.id for person in orm] == expected


def test_composite_keys(engine):
    """A key of two columns is read with neither gap nor repetition, forwards and backwards."""
    expected = [(left, right) for left in range(5) for right in "abcd"]
    assert list(Table(engine, Pair).pluck("left", "right", batch_rows=3)) == expected
    assert list(Table(engine, Pair).pluck("left", "right", order_by="-left, -right", batch_rows=3)) == expected[::-1]


def test_there_is_no_offset(engine):
    """No statement of a pass has an OFFSET."""
    with counted(engine) as sent:
        assert len(list(Table(engine, Person).find_each(batch_rows=7))) == PEOPLE
    assert len(sent) > 8
    assert not any("OFFSET" in statement for statement in sent)


def test_an_order_without_an_index_is_refused(engine):
    """An order that no index serves is refused with the line that makes one; the plan is the database's."""
    table = Table(engine, Person)
    with pytest.raises(errors.UsageError, match="CREATE INDEX"):
        table.find_each(order_by="name")
    assert len(list(table.find_each(order_by="name", allow_scan=True))) == PEOPLE
    assert not table.explain(order_by="name").is_served
    assert table.explain(order_by="rank").is_served
    assert "people.id" in table.explain().sql[0]


def test_unknown_names_are_said(engine):
    """A table, column or select that there is not is a UsageError in the database's words."""
    with pytest.raises(errors.UsageError, match="no such table"):
        list(Table(engine, "peple").find_each())
    with pytest.raises(errors.UsageError):
        list(Table(engine, "SELECT nothing FROM people", key="nothing").find_each())
    with pytest.raises(errors.UsageError, match="Did you mean 'name'"):
        Table(engine, Person).pluck("nam")


def test_pages_go_on_by_token(engine):
    """A page's token is where the next page begins, for columns and for objects."""
    table = Table(engine, Person)
    first = table.page(limit=5)
    assert [row["id"] for row in first] == [1, 2, 3, 4, 5]
    second = Table(engine, Person).page(first.token, limit=5, as_="orm")
    assert [person.id for person in second] == [6, 7, 8, 9, 10]


def test_ranges_cover_the_table(engine):
    """The parts of a table, by a key of two columns or a number, hold each row once."""
    for what, column in ((Pair, "right"), (Person, "id"), ("pairs", "right")):
        parts = Table(engine, what).ranges(3)
        assert 1 < len(parts) <= 3
        assert sum(len(list(part.pluck(column))) for part in parts) == (PEOPLE if what is Person else 20)


def test_counts(engine):
    """Estimates say how they are known; a select is counted."""
    assert Table(engine, sa.select(Person).where(Person.id > 50)).count_estimate() == 10
    assert Table(engine, Person).count_estimate().how != ""


def test_a_snapshot_sees_one_state(fresh_engine):
    """A snapshot sees no row that is inserted after its start."""
    rows = Table(fresh_engine, Pair).find_each(as_=tuple, batch_rows=5, consistency="snapshot")
    first = next(rows)
    if fresh_engine.dialect.name != "sqlite":  # whose writers would wait for the snapshot's end
        with fresh_engine.begin() as connection:
            connection.execute(sa.insert(Pair).values(left=99, right="z"))
    assert len([first, *rows]) == 20


def test_written_back_through_sqlalchemys_types(fresh_engine):
    """What update_each writes is bound as SQLAlchemy binds it, and unchanged rows are left."""

    def change(person):
        return (
            {"mood": Mood.bad, "extra": {"new": True}, "born": dt.datetime(2000, 1, 1)} if person["id"] <= 3 else None  # noqa: DTZ001 - as databases have it
        )

    done = Table(fresh_engine, Person).update_each(change, commit_rows=10)
    assert (done.seen, done.changed) == (PEOPLE, 3)
    first = Table(fresh_engine, Person).page(limit=1)[0]
    assert (first["mood"], first["extra"], first["born"]) == (Mood.bad, {"new": True}, dt.datetime(2000, 1, 1))  # noqa: DTZ001 - as databases have it
    assert Table(fresh_engine, "people").update_each(lambda row: {"name": "x"} if row["id"] == 5 else None).changed == 1


def test_rows_that_change_meanwhile_are_read_again(fresh_engine):
    """A row that others change between reading and writing is given again, as it is then, with its types."""
    seen = []

    def change(person):
        seen.append((person["name"], person["mood"]))
        if len(seen) == 1:
            with fresh_engine.begin() as connection:
                connection.execute(sa.update(Person).where(Person.id == 1).values(name="other"))
        return {"name": person["name"] + "!"}

    done = Table(fresh_engine, Person).update_each(change, finish=1)
    assert done.repeated == 1
    assert seen == [("name 1", Mood.good), ("other", Mood.good)]
    assert Table(fresh_engine, Person).page(limit=1)[0]["name"] == "other!"


def test_no_transaction_stays_open_between_batches(postgres_engine):
    """Between two batches PostgreSQL knows of no open transaction, as a pooler in transaction mode needs it."""
    other = sa.create_engine(postgres_engine.url)
    look = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
    )
    for what, as_ in ((Person, dict), (Person, "orm"), ("people", tuple)):
        for _ in Table(postgres_engine, what).batches(as_=as_, batch_rows=20):
            with other.connect() as connection:
                assert connection.scalar(look) == 0
    other.dispose()


def test_other_databases_are_refused():
    """A dialect that is not known is refused by name."""
    engine = sa.create_mock_engine("oracle://", lambda *_: None)
    with pytest.raises(errors.UsageError):
        Table(engine, "people")
