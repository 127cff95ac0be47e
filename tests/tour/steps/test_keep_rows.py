"""tour.steps.keep_rows: rows go into a store, which is walked while it changes, inside a share."""

from __future__ import annotations

import sys

import pytest

from flatwater import errors, limits
from flatwater.budget import Budget
from flatwater.store.store import Store
from flatwater.tour import Inputs
from flatwater.tour.steps import keep_rows
from flatwater.tour.steps.keep_rows import KeepRows

MIB = 1 << 20


@pytest.fixture(autouse=True)
def few_rows(monkeypatch):
    monkeypatch.setattr(limits, "TOUR_ROWS", 25_000)


def prepared(folder, seconds=30.0):
    step, inputs = KeepRows(), Inputs((), seconds, str(folder))
    step.prepare(inputs)
    return step, inputs


@pytest.mark.parametrize("share_bytes", [KeepRows().bytes_least, 48 * MIB])
def test_rows_are_written_changed_and_add_up(tmp_path, share_bytes):
    """In the least share and in a large one: as many rows as have room, changed during a walk, and no more than promised."""
    step, inputs = prepared(tmp_path)
    assert step.trouble == ""
    with Budget(64 * MIB) as budget, budget.share("store", step.bytes_max(share_bytes)) as share:
        result = step.run(share, inputs)
        assert share.peak <= step.bytes_max(share_bytes) <= share_bytes
    rows = 6_553 if share_bytes < 32 * MIB else 25_000  # of a MiB, at 160 B a row
    assert (result.items, result.item_name, result.complete) == (rows, "entries", True)
    assert result.details["deleted"] == rows // 10
    assert result.details["changed"] == rows // 3 - rows // 30
    assert "and add up" in result.notes[0]


def test_the_store_has_what_is_said(tmp_path):
    """What was deleted is gone, what was changed is changed, the rest is as in the table."""
    step, inputs = prepared(tmp_path)
    with Budget(64 * MIB) as budget:
        step.run(budget, inputs)
    with Store(tmp_path / keep_rows.FOLDER, type=keep_rows.User) as store:
        assert store.get((10,)) is None
        assert store.get((9,)).cents == 9 + keep_rows.CHANGE
        assert store.get((7,)).cents == 7


def test_little_time_keeps_few_rows(tmp_path):
    """Writing ends with half of the time, and that is said."""
    step, inputs = prepared(tmp_path)
    with Budget(64 * MIB) as budget:
        result = step.run(budget, Inputs((), 1e-6, inputs.folder))
    assert (result.items, result.complete) == (keep_rows.WRITE_ROWS, False)
    assert "half of the step's time" in result.notes[1]


def test_a_store_that_lost_something_is_an_error(tmp_path, monkeypatch):
    """What should be left is known: an entry too few is told."""
    step, inputs = prepared(tmp_path)
    monkeypatch.setattr(keep_rows.users, "cents_of", lambda _rows: 1)
    with Budget(64 * MIB) as budget, pytest.raises(errors.BrokenError, match="were to have"):
        step.run(budget, inputs)


def test_without_its_library_it_is_left_out(monkeypatch):
    """The trouble is the line that installs it."""
    monkeypatch.setitem(sys.modules, "lmdb", None)
    assert "pip install 'flatwater[store]'" in KeepRows().trouble


def test_without_a_place_it_is_left_out(tmp_path):
    """A folder that cannot be written is the step's trouble, not the tour's end."""
    step, _inputs = prepared(tmp_path / "none")
    assert "could not be made in" in step.trouble
