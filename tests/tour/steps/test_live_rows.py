"""tour.steps.live_rows: rows of several users go into a live table, and subscriptions are checked, inside a share."""

from __future__ import annotations

import sys

import pytest

from flatwater import errors, limits
from flatwater.budget import Budget
from flatwater.live.database import Database
from flatwater.live.following import Following
from flatwater.live.subscriber import Subscription
from flatwater.tour import Inputs
from flatwater.tour.steps.live_rows import CHANGE, FOLDER, PART_ROWS, WRITERS, LiveRows

for needed in ("apsw", "lmdb"):
    pytest.importorskip(needed)
MIB = 1 << 20
ROWS = 3_000


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Rows and subscriptions."""
    monkeypatch.setattr(limits, "TOUR_ROWS", ROWS)
    monkeypatch.setattr(limits, "TOUR_LIVE_WAITING", 20)


def prepared(folder, seconds=60.0):
    step, inputs = LiveRows(), Inputs((), seconds, str(folder))
    step.prepare(inputs)
    assert step.trouble == ""
    return step, inputs


def run(step, inputs, room=128 * MIB):
    with Budget(128 * MIB) as budget, budget.share(step.name, step.bytes_max(room)) as share, share:
        result = step.run(share, inputs)
        assert share.peak <= step.bytes_max(room) <= room
    assert budget.held == 0
    return result


@pytest.mark.parametrize("rows", [1_000, ROWS])
def test_rows_are_written_and_seen(tmp_path, rows):
    """In a small share and in a large one: as many rows as have room, and an event for each change of one."""
    step, inputs = prepared(tmp_path)
    result = run(step, inputs, step.bytes_least - MIB + rows * 1024)
    changed, deleted = rows // PART_ROWS * (PART_ROWS // 3), rows // PART_ROWS * (PART_ROWS // 10)
    assert (result.items, result.item_name, result.complete) == (rows + changed + deleted, "events", True)
    assert (result.details["rows"], result.details["left"]) == (rows, rows - deleted)
    assert result.details["late_first"] > 0
    assert result.details["late_changes"] > 0
    assert ("of 3,000 rows" in result.notes[-1]) == (rows < ROWS)
    assert result.notes[3].startswith("20 subscriptions of other users")


def test_the_database_has_what_is_said(tmp_path):
    """Each user has rows of his own under the same keys: some changed, some deleted; others have none."""
    run(*prepared(tmp_path))
    with Database(tmp_path / FOLDER) as db:
        for user, who in enumerate(WRITERS):
            rows = {row["number"]: row for row in db.sql("SELECT * FROM tour.accounts WHERE part = 0", user=who)}
            assert set(range(1, PART_ROWS + 1)) - set(rows) == set(range(10, PART_ROWS + 1, 10))
            assert rows[1]["email"] == f"user{user * PART_ROWS + 1}@example.org"
            assert rows[3]["cents"] == user * PART_ROWS + 3 + CHANGE
        assert list(db.sql("SELECT * FROM tour.accounts", user="nobody")) == []


def test_its_time_is_over(tmp_path):
    """It stops behind a part, looks at what was seen, and says that there is more."""
    step, inputs = prepared(tmp_path)
    result = run(step, Inputs((), 1e-6, inputs.folder))
    assert (result.details["rows"], result.complete) == (PART_ROWS, False)
    assert "half of the step's time" in result.notes[-1]


def test_an_event_that_comes_twice_is_told(tmp_path, monkeypatch):
    """A subscription that sees a change twice is an error."""
    step, inputs = prepared(tmp_path)
    real, again = Subscription.poll, []

    def poll(self, seconds=0.0):
        if again:
            return again.pop()
        event = real(self, seconds)
        if event is not None and event.op == "update":
            again.append(event)
        return event

    monkeypatch.setattr(Subscription, "poll", poll)
    with pytest.raises(errors.BrokenError, match=r"of 'ada' cannot have <Event update"):
        run(step, inputs)


@pytest.mark.parametrize("op", ["insert", "update", "delete"])
def test_an_event_that_is_lost_is_told(tmp_path, monkeypatch, op):
    """One that passes over a change is an error, whatever the change is."""
    step, inputs = prepared(tmp_path)
    real, lost = Subscription.poll, []

    def poll(self, seconds=0.0):
        event = real(self, seconds)
        if event is not None and event.op == op and not lost:
            lost.append(event)
            event = real(self, seconds)
        return event

    monkeypatch.setattr(Subscription, "poll", poll)
    with pytest.raises(errors.BrokenError, match=r"where \('|cannot have"):
        run(step, inputs)


def test_what_is_wrong_is_no_trouble_of_the_place(tmp_path, monkeypatch):
    """Also before the baseline, what is seen wrongly ends the tour: the step is not left out."""
    monkeypatch.setattr(Subscription, "poll", lambda _self, _seconds=0.0: None)
    with pytest.raises(errors.BrokenError, match=r"saw None, where \('insert'"):
        prepared(tmp_path)


def test_a_late_one_that_loses_something_is_told(tmp_path, monkeypatch):
    """What the subscription with a condition adds up to is looked up among the rows."""
    step, inputs = prepared(tmp_path)
    real = Following.follow

    def follow(self, *given, last_rows, since):
        return real(self, *given, last_rows=0, since=since)

    monkeypatch.setattr(Following, "follow", follow)
    with pytest.raises(errors.BrokenError, match="a subscription of 'ada'"):
        run(step, inputs)


def test_rows_that_others_see_are_told(tmp_path, monkeypatch):
    """A subscription that gets rows of another user is an error."""
    step, inputs = prepared(tmp_path)
    real = Database.subscribe

    def subscribe(self, text, params=(), *, user=None, **options):
        return real(self, text, params, user="cleo" if user == "reader 7" else user, **options)

    monkeypatch.setattr(Database, "subscribe", subscribe)
    with pytest.raises(errors.BrokenError, match=r"'reader 7' saw <Event insert .* which is not his"):
        run(step, inputs)


@pytest.mark.parametrize(("module", "extra"), [("apsw", "tables"), ("lmdb", "live"), ("sqlglot", "live")])
def test_without_its_libraries_it_is_left_out(monkeypatch, module, extra):
    """The trouble is the line that installs them."""
    monkeypatch.setitem(sys.modules, module, None)
    assert f"pip install 'flatwater[{extra}]'" in LiveRows().trouble


def test_without_a_place_it_is_left_out(tmp_path):
    """A folder that cannot be written is the step's trouble, not the tour's end."""
    step = LiveRows()
    step.prepare(Inputs((), 60.0, str(tmp_path / "none")))
    assert "could not be made in" in step.trouble
