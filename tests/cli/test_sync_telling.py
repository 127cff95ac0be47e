"""cli.sync_telling: events as JSON, and a line on a terminal."""

from __future__ import annotations

import functools
import io
import json
import re
import sys

import pytest

from flatwater import errors
from flatwater.budget.budget import Budget
from flatwater.cli import sync_telling
from flatwater.cli.sync_telling import Telling


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


@pytest.fixture
def line_of(monkeypatch):
    """A function that makes a line on a terminal of some width, and one that says what is on it."""
    import rich.console

    def made(width):
        kept = functools.partial(rich.console.Console, file=io.StringIO(), width=width, force_terminal=True)
        monkeypatch.setattr(rich.console, "Console", lambda **_: kept())
        line = sync_telling._Line()

        def shown():
            with line._line.console.capture() as captured:
                line._line.console.print(line._line.get_renderable())
            return re.sub(r"\x1b\[[0-9;]*m", "", captured.get()).rstrip("\n")

        return line, shown

    return made


def test_the_line(line_of):
    """Phase, files, bytes, rate, memory against the budget."""
    with Budget("64 MiB"):
        line, shown = line_of(150)
        line.event({"event": "phase", "phase": "copy", "files": 10, "bytes": 4096})
        line.event({"event": "progress", "phase": "copy", "files": 4, "bytes": 2048, "left": 6, "left_bytes": 2048})
        text = shown()
    assert text.startswith("copying ")
    assert "4 files, 2.0 KiB" in text
    assert "of 64.0 MiB" in text
    assert line._line.tasks[0].percentage == 50


@pytest.mark.parametrize("width", [16, 20, 40, 80, 100, 200])
def test_the_line_has_room(line_of, width):
    """On a narrow terminal less is told, and what is told is whole: the phase and the files before all else."""
    line, shown = line_of(width)
    line.event({"event": "phase", "phase": "scan"})
    line.event({"event": "progress", "phase": "scan", "files": 7, "bytes": 2048, "new": 7, "changed": 0})
    text = shown()
    assert text.startswith("listing ")
    assert "\n" not in text
    assert "7 fil" in text
    assert "\u2026" not in text
    assert "left" not in text  # nobody knows how many there are
    assert (" of " in text) == (width >= 80)


def test_the_time_left_does_not_begin_anew(line_of):
    """What is copied and what is left are told by different clocks; the whole stays what it was, and the speed is known."""
    line, _shown = line_of(100)
    line.event({"event": "phase", "phase": "copy", "files": 1000, "bytes": 1000})
    for done in range(100, 600, 100):
        facts = {"files": done, "bytes": done, "left": 1000 - done + 7, "left_bytes": 1000 - done + done // 100}
        line.event({"event": "progress", "phase": "copy", **facts})
    (task,) = line._line.tasks
    assert (task.total, task.completed) == (1000, 495)
    assert task.speed is not None


def test_events_on_a_terminal(monkeypatch):
    """They have it for themselves: the line would stand among them."""
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    assert Telling("-", quiet=False)._line is None
    assert Telling(None, quiet=False)._line is not None
