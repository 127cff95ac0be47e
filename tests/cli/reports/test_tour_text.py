"""cli.reports.tour_text: the table of a tour."""

from __future__ import annotations

import click

from flatwater.cli.reports.tour_text import commands, kept, render
from flatwater.tour.report import Row, TourReport
from flatwater.tour.trial import Run, Trial

MIB = 1 << 20
BASELINE = {"rss_bytes": 17 * MIB, "reusable_bytes": MIB}


def rendered(*rows, **more):
    report = TourReport(8 * MIB, 8 * MIB, **{"limit_kind": "cgroup v2", "rows": list(rows), "seconds": 30.0, **more})
    return click.unstyle(render(report)).splitlines()


def row(step="words", seen=3 * MIB, **more):
    return Row(step, 1_234_567, "words", 30 * MIB, 3.0, 8 * MIB, seen, **more)


def test_a_row_for_each_step():
    """The columns line up, whatever the figures."""
    lines = rendered(row(), row("a longer name", seen=-1), baseline=BASELINE)
    assert lines[1].split() == [
        "words", "1,234,567", "words", "30.0", "MiB", "411,522/s,", "10.0", "MiB/s", "8.0", "MiB", "3.0", "MiB",
    ]  # fmt: skip
    assert len({len(line) for line in lines[:3]}) == 1
    assert lines[2].endswith("unknown")
    assert "1.0 MiB were free to be used again" in lines[3]


def test_notes_stand_below_and_are_harmless():
    """Words from files cannot speak to the terminal; a step that was stopped says so."""
    lines = rendered(row(notes=("first", "evil \x1b[2J"), complete=False))
    assert lines[2].split() == ["words", "first"]
    assert lines[3].strip() == r"evil \x1b[2J"
    assert "stopped after 30.0 s" in lines[4]


def test_each_limit_is_explained():
    """What it counts, and from where."""
    assert any("cgroup v2: 8.0 MiB, counted from the baseline on" in line for line in rendered(row()))
    data = rendered(row(), limit_kind="rlimit_data", limit={"above_baseline_bytes": 9 * MIB})
    assert any("address space above the baseline, so at most 9.0 MiB" in line for line in data)
    assert any("none: because" in line for line in rendered(row(), limit_kind="none", limit_note="because"))


def test_a_tour_that_died_at_once():
    """No table, no baseline: the verdict alone."""
    lines = rendered(trouble="it could not be", running="words")
    assert lines[-1].split(None, 1) == ["result", "the tour died in step 'words': it could not be"]


def test_twins_have_a_column():
    """How each ended; a step without one has a dash; below, how many held and how many did not come to their end."""
    alone = Run("done", 1.0, 3 * MIB)
    trials = {
        "words": Trial("words", 8 * MIB, alone, Run("killed", 0.5, 8 * MIB)),
        "b": Trial("b", 8 * MIB, alone, Run("failed", 0.5, 8 * MIB, words="OddError: \x1b")),
    }
    lines = rendered(row(), row("b"), row("c"), trials=trials, is_tried=True)
    assert lines[0].split()[-1] == "naive"
    assert [line.rsplit("MiB  ", 1)[-1] for line in lines[1:4]] == [
        "killed at 8.0 MiB, 500 ms",
        "failed at 8.0 MiB, 500 ms",
        "-",
    ]
    assert any("2 of 2 held; the nearest was words, 3.0 MiB of 8.0 MiB" in line for line in lines)
    assert any("2 of 2 did not come to their end" in line for line in lines)
    assert any(r"b: OddError: \x1b" in line for line in lines)


def test_what_is_kept_comes_with_five_commands():
    """As a shell takes them, whatever the folder is called."""
    assert len(commands("/a b")) == 5
    assert all("'/a b/" in command and command.startswith("flatwater ") for command in commands("/a b"))
    assert kept("house").count("\n") == 6
