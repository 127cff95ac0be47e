"""tour.steps.users: the table that steps share."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from flatwater import limits
from flatwater.tour import Inputs
from flatwater.tour.lab.inputs import ROWS_A_STEP
from flatwater.tour.steps import users


@pytest.fixture(autouse=True)
def few_rows(monkeypatch):
    monkeypatch.setattr(limits, "TOUR_ROWS", 45_000)


def test_it_is_made_once(tmp_path):
    """The second step that asks gets the same table, with the same number of rows."""
    inputs = Inputs((), 30.0, str(tmp_path))
    made = users.make(inputs)
    assert (made.rows, made.trouble) == (45_000, "")
    assert users.make(inputs) == made


def test_its_cents_are_known(tmp_path):
    """What the column adds up to, for any number of rows from the first one on."""
    made = users.make(Inputs((), 30.0, str(tmp_path)))
    with contextlib.closing(sqlite3.connect(made.path)) as connection:
        for rows in (1, 9_999, 10_000, 45_000):
            found = connection.execute("SELECT sum(cents) FROM users WHERE id <= ?", (rows,)).fetchone()
            assert found == (users.cents_of(rows),)


def test_little_time_makes_few_rows(tmp_path):
    """Half of a step's time, and one step of rows at least."""
    assert users.make(Inputs((), 1e-6, str(tmp_path))).rows == ROWS_A_STEP


def test_without_a_place_there_is_trouble(tmp_path):
    """A folder that is not there is said, with a way out."""
    made = users.make(Inputs((), 30.0, str(tmp_path / "none")))
    assert "the table could not be made in" in made.trouble
    assert "TMPDIR" in made.trouble
