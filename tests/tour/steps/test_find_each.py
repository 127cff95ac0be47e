"""tour.steps.find_each: a table made beforehand and read inside a share."""

from __future__ import annotations

import sys

import pytest

from flatwater import errors, limits
from flatwater.budget import Budget
from flatwater.tour import Inputs
from flatwater.tour.lab.inputs import ROWS_A_STEP
from flatwater.tour.steps import find_each
from flatwater.tour.steps.find_each import FindEach

MIB = 1 << 20
pytestmark = pytest.mark.usefixtures("few_rows")


@pytest.fixture
def few_rows(monkeypatch):
    monkeypatch.setattr(limits, "TOUR_ROWS", 45_000)


def prepared(folder, seconds=30.0):
    step, inputs = FindEach(), Inputs((), seconds, str(folder))
    step.prepare(inputs)
    return step, inputs


@pytest.mark.parametrize("share_bytes", [FindEach().bytes_least, 32 * MIB])
def test_all_rows_are_read(tmp_path, share_bytes):
    """In the least share and in a large one: every row once, the right sum, and no more than promised in the budget."""
    step, inputs = prepared(tmp_path)
    with Budget(64 * MIB) as budget, budget.share("find_each", step.bytes_max(share_bytes)) as share:
        result = step.run(share, inputs)
        assert share.peak <= step.bytes_max(share_bytes) <= share_bytes
    assert (result.items, result.item_name, result.complete) == (45_000, "rows", True)
    assert result.details["cents"] == 4 * 49_995_000 + 5_000 * 5_001 // 2
    assert "which is right for 45,000 rows" in result.notes[0]
    assert result.bytes > 40 * 45_000


def test_few_seconds_make_few_rows(tmp_path):
    """Making the table ends with half of the time, reading with all of it; both are said."""
    step, inputs = prepared(tmp_path, 1e-6)
    with Budget(64 * MIB) as budget:
        result = step.run(budget, inputs)
    assert result.details["rows"] == ROWS_A_STEP
    assert (result.items, result.complete) == (find_each.ROWS_A_LOOK, False)
    assert "the table has 20,000 rows, not 45,000" in result.notes[1]


def test_rows_that_are_wrong_are_not_counted_as_read(tmp_path):
    """The sum of what was written is known: a table that says something else is an error."""
    import apsw

    step, inputs = prepared(tmp_path)
    with apsw.Connection(str(tmp_path / "table.db")) as connection:
        connection.execute("UPDATE users SET cents = 7 WHERE id = 9")
    with Budget(64 * MIB) as budget, pytest.raises(errors.BrokenError, match="45,000 rows have"):
        step.run(budget, inputs)


def test_without_its_library_it_is_left_out(monkeypatch):
    """The trouble is the line that installs it."""
    monkeypatch.setitem(sys.modules, "apsw", None)
    monkeypatch.delitem(sys.modules, "apsw.ext", raising=False)
    assert "pip install 'flatwater[tables]'" in FindEach().trouble


def test_without_a_place_it_is_left_out(tmp_path):
    """A folder that cannot be written is the step's trouble, not the tour's end."""
    step, _inputs = prepared(tmp_path / "none")
    assert "the table could not be made in" in step.trouble
