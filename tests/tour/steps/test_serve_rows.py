"""tour.steps.serve_rows: rows are served to many while they change, inside a share."""

from __future__ import annotations

import pytest

from flatwater import limits
from flatwater.budget import Budget
from flatwater.live.serving import fanout
from flatwater.tour import Inputs
from flatwater.tour.steps.serve_rows import ServedWrongError, ServeRows

for needed in ("apsw", "lmdb", "uvicorn"):
    pytest.importorskip(needed)
MIB = 1 << 20


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Rows and subscribers."""
    monkeypatch.setattr(limits, "TOUR_ROWS", 1_000)
    monkeypatch.setattr(limits, "TOUR_SERVE_ROWS", 400)
    monkeypatch.setattr(limits, "TOUR_SUBSCRIBERS", 30)


@pytest.fixture
def prepared(tmp_path):
    step, inputs = ServeRows(), Inputs((), 30.0, str(tmp_path))
    step.prepare(inputs)
    assert step.trouble == ""
    return step, inputs


def test_rows_are_served(prepared):
    """Each of the subscribers is given each change once, and pages are read meanwhile; nothing stays reserved."""
    step, inputs = prepared
    with Budget(128 * MIB) as budget, budget.share(step.name, step.bytes_max(128 * MIB)) as share, share:
        result = step.run(share, inputs)
        assert share.peak <= step.bytes_max(128 * MIB)
    assert budget.held == 0
    changes = 400 + 133 + 40 + 1
    assert (result.items, result.item_name, result.complete) == (30 * changes, "deliveries", True)
    assert result.details["rows"] == 360
    assert result.details["pages"] >= 2


def test_a_change_that_is_lost(prepared, monkeypatch):
    """A subscriber who is not given a change is found."""
    step, inputs = prepared
    real, lost = fanout._frames, []

    def frames(channel, changes):
        if not lost and len(changes) > 3:
            lost.append(1)
            return real(channel, changes[:1])
        return real(channel, changes)

    monkeypatch.setattr(fanout, "_frames", frames)
    with Budget(128 * MIB) as budget, pytest.raises(ServedWrongError, match=r"was given|subscribers ended"):
        step.run(budget, inputs)
    assert lost


def test_a_library_that_is_missing(monkeypatch):
    """The step is left out, and says which."""
    from flatwater.tour import step

    monkeypatch.setattr(step, "is_installed", lambda module: module != "uvicorn")
    assert "uvicorn" in ServeRows().trouble
