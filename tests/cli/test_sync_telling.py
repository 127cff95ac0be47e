"""cli.sync_telling: events as JSON, and a line on a terminal."""

from __future__ import annotations

import json

import pytest

from flatwater import errors
from flatwater.budget.budget import Budget
from flatwater.cli import sync_telling
from flatwater.cli.sync_telling import Telling, budget_of


def test_events_into_a_file(tmp_path):
    """One a line; paths that are no text are kept."""
    with Telling(str(tmp_path / "events"), quiet=True) as telling:
        assert telling.is_wanted
        telling.event({"event": "copied", "path": b"\xff".decode("utf-8", "surrogateescape")})
    (line,) = (tmp_path / "events").read_text().splitlines()
    assert json.loads(line)["path"].encode("utf-8", "surrogateescape") == b"\xff"


def test_a_file_that_cannot_be_written(tmp_path):
    """Is said by its name."""
    with pytest.raises(errors.BrokenError, match="none/x"), Telling(str(tmp_path / "none/x"), quiet=True):
        pass


def test_nobody_hears(tmp_path):
    """Without a file and a terminal there is nothing to be told to."""
    with Telling(None, quiet=False) as telling:
        assert not telling.is_wanted


def test_the_line(monkeypatch):
    """Phase, files, bytes, rate, memory against the budget."""
    from rich.console import Console

    with Budget("64 MiB"):
        line = sync_telling._Line()
        line._line.live.console = console = Console(record=True, width=150, force_terminal=True)
        line.event({"event": "phase", "phase": "copy", "files": 10})
        line.event({"event": "progress", "phase": "copy", "files": 4, "bytes": 2048, "left": 6, "left_bytes": 2048})
        console.print(line._line.get_renderable())
    shown = console.export_text()
    assert "copying" in shown
    assert "4 files, 2.0 KiB" in shown
    assert "of 64.0 MiB" in shown
    assert line._line.tasks[0].percentage == 50


def test_a_budget_for_a_block():
    """Or the one that there is."""
    before = Budget.current()
    with budget_of(1 << 20):
        assert Budget.current().limit == 1 << 20
    with budget_of(None):
        assert Budget.current() is before
