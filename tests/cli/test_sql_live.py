"""cli.sql_live: rows of a live query as they are after each change, and lines of its events."""

from __future__ import annotations

import io
import json

import pytest

from flatwater import errors, limits
from flatwater.cli import sql_live
from flatwater.cli.sql_live import View
from flatwater.cli.sql_rows import console_for
from flatwater.cli.sql_session import Session
from flatwater.cli.sql_work import Work


@pytest.fixture
def view():
    return View(3)


def rows(view):
    return [(row["a"], mark) for row, mark in view.rows()]


def take(view, *events, now=0.0):
    for seq, (op, row, old) in enumerate(events):
        view.take(op, seq, None if row is None else {"a": row}, None if old is None else {"a": old}, now)


def test_changes_are_marked_in_place(view):
    """A row that changes stays where it is; a new one comes last; one that goes is seen as gone."""
    take(view, ("snapshot", 1, None), ("snapshot", 2, None), ("update", 10, 1), ("insert", 3, None), ("delete", 2, 2))
    assert rows(view) == [(10, "changed"), (2, "gone"), (3, "new")]


def test_marks_end(view):
    """After a while rows look as others, and those that went are not drawn any more."""
    take(view, ("insert", 1, None), ("insert", 2, None), ("delete", 2, 2), now=100.0)
    view.drawn()
    assert not view.is_due(100.0 + limits.SHELL_MARK_S / 2)
    assert view.is_due(100.0 + limits.SHELL_MARK_S)
    assert rows(view) == [(1, "")]


def test_rows_are_bounded(view):
    """The oldest give way, those that are gone first; changes of what is not drawn come last."""
    take(view, *(("insert", number, None) for number in range(3)), ("delete", 1, 1), ("insert", 3, None))
    assert rows(view) == [(0, "new"), (2, "new"), (3, "new")]
    take(view, ("insert", 4, None), ("update", 50, 0), ("delete", 99, 99))
    assert rows(view) == [(3, "new"), (4, "new"), (50, "changed")]
    assert len(view._rows) <= 3
    assert len(view._numbers) <= 3


def test_rows_that_are_alike(view):
    """Each counts: one of them goes, and the other stays."""
    take(view, ("snapshot", 1, None), ("snapshot", 1, None), ("delete", 1, 1))
    assert rows(view) == [(1, "gone"), (1, "")]
    take(view, ("update", 2, 1))
    assert rows(view) == [(1, "gone"), (2, "changed")]


def test_a_reset_begins_anew(view):
    """What came before no longer holds."""
    take(view, ("snapshot", 1, None), ("insert", 2, None), ("reset", None, None), ("snapshot", 3, None))
    assert rows(view) == [(3, "")]


def test_what_it_holds_stays_bounded(view):
    """Whatever comes, in any number."""
    for number in range(1_000):
        take(
            view, ("insert", number, None), ("update", -number, number), ("delete", -number, -number), now=number * 1.0
        )
        view.is_due(number * 1.0)
    assert len(view._rows) <= 3
    assert len(view._numbers) <= 3


def test_nothing_of_a_row_is_obeyed(view):
    """Neither of values nor of names."""
    view.take("insert", 1, {"n\x1b[2J\u202e": "v\x1b]0;x\x07", "b": None}, None, 0.0)
    out = io.StringIO()
    console_for(out, colours=False, width=80).print(view.drawn())
    assert all(letter.isprintable() for letter in out.getvalue().replace("\n", ""))
    assert "n\\x1b[2J\\u202e" in out.getvalue()
    assert "NULL" in out.getvalue()


class Event:
    def __init__(self, op, row):
        self.op, self.seq, self.row, self.old = op, 7, row, {"a": 0}


class Following:
    """Events of a test, then an error."""

    name = "test"

    def __init__(self, events):
        self.events = iter(events)
        self.is_closed = False

    def subscribe(self, text, params=(), *, last_rows=None):
        return self

    def poll(self, seconds=0.0):
        event = next(self.events)
        if isinstance(event, Exception):
            raise event
        return event

    def close(self):
        self.is_closed = True


def test_lines():
    """One for each event; `old` is told of an update; the query is closed where it fails, and what came before was told."""
    following = Following([
        Event("snapshot", {"a": 1}), Event("update", {"a": "\x1b"}), None, Event("reset", None), None, errors.UsageError("dropped"),
    ])  # fmt: skip
    out = io.StringIO()
    with Work() as work, pytest.raises(errors.UsageError, match="dropped"):
        sql_live.follow(Session(following, work, out=out), "SELECT a FROM t")
    assert out.getvalue().isascii()
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"op": "snapshot", "seq": 7, "row": {"a": 1}},
        {"op": "update", "seq": 7, "row": {"a": "\x1b"}, "old": {"a": 0}},
        {"op": "reset", "seq": 7, "row": None},
    ]
    assert following.is_closed
