"""Rows come one by one, however wide they are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy_models import PEOPLE, Person, counted

from flatwater.source.tables.adapters import sqlalchemy_streams as streams
from flatwater.source.tables.table import Table

PROGRAM = Path(__file__).with_name("wide_program.py")
BOUND_BYTES = 2 * (8 << 20) + 4_000_000 + 1_000_000  # two batches, 4 MB, the largest row


def told(*urls):
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *urls], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def within(readings):
    assert readings.pop("transaction") == {"goes on": 1}
    assert {reading["rows"] for reading in readings.values()} == {1060}
    assert {name: each["peak"] for name, each in readings.items() if each["peak"] > BOUND_BYTES} == {}


@pytest.mark.slow
def test_wide_rows_behind_narrow_ones_in_sqlite(tmp_path):
    """60 rows of 1 MB behind 1,000 narrow ones: the peak rises by two batches, 4 MB and a row at most; asynchronously too."""
    path = tmp_path / "wide.db"
    within(told(f"sqlite:///{path}", f"sqlite+aiosqlite:///{path}"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
def test_wide_rows_behind_narrow_ones(kind, request):
    """The same on a server, whose driver would take a page whole; a transaction of the user's goes on afterwards."""
    with request.getfixturevalue(kind).database() as database:
        url = database.sqlalchemy_url
        within(told(url, *([url] if kind == "postgres" else [])))


def test_the_users_options_stay(postgres_engine):
    """After a stream the user's connection makes cursors as before, and has no options of ours."""
    with postgres_engine.connect() as connection:
        driver = connection.connection.driver_connection
        factory = driver.server_cursor_factory
        Table(connection, Person).page(limit=3)
        Table(connection, "people").page(limit=3)
        assert driver.server_cursor_factory is factory
        assert "stream_results" not in connection.get_execution_options()
        assert not sa.event.contains(connection, "after_cursor_execute", streams.opened)
        wanted = sa.select(Person.id).order_by(Person.id).execution_options(yield_per=7)
        assert list(connection.scalars(wanted)) == list(range(1, PEOPLE + 1))


def test_further_statements_are_not_cut(engine):
    """What the ORM loads besides a page is loaded whole."""
    rows = Table(engine, sa.select(Person).options(sa.orm.selectinload(Person.notes))).find_each(
        as_="orm", batch_bytes=40_000
    )
    assert [len(person.notes) for person in rows] == [2] * PEOPLE


def test_a_statement_without_rows(engine):
    """No row is no error, for columns, text and objects."""
    nobody = sa.select(Person).where(Person.id < 0)
    with counted(engine) as sent:
        assert list(Table(engine, nobody).find_each()) == []
        assert list(Table(engine, nobody).find_each(as_="orm", consistency="live")) == []
        assert list(Table(engine, "people", where="id < 0").find_each()) == []
    assert sent
