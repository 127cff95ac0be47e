"""The words of the linter."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import click
import pytest
from rich.cells import cell_len

from flatwater.cli.reports.lint_report import Summary
from flatwater.cli.reports.lint_text import StatisticsReport, TextReport, closing, shown
from flatwater.lint.baseline import Entry
from flatwater.lint.finding import Confidence, Finding

HERE = Finding("src/a.py", 3, 8, "FW101", "It holds all.", Confidence.SURE, 3, 20, "rows = c.fetchall()")


def plain(finding, width=80):
    return [click.unstyle(line) for line in shown(finding, width)]


def under(finding, width=80):
    """What the caret marks."""
    source, caret = plain(finding, width)
    return source[caret.index("^") : caret.rindex("^") + 1]


CARETS = {
    "plain": (HERE, "c.fetchall()"),
    "indented": (replace(HERE, source="    rows = c.fetchall()", column=12, end_column=24), "c.fetchall()"),
    "by tabs": (replace(HERE, source="\t\trows = c.fetchall()", column=10, end_column=22), "c.fetchall()"),
    "over several lines": (replace(HERE, source="rows = c.fetchall(", end_line=5, end_column=2), "c.fetchall("),
    "with a tab inside": (replace(HERE, source="rows =\tc.fetchall()"), "c.fetchall()"),
}


@pytest.mark.parametrize(("finding", "marked"), CARETS.values(), ids=CARETS)
def test_the_caret(finding, marked):
    """It stands below what was found."""
    assert under(finding) == marked


def test_wide_letters():
    """A letter that takes two columns moves the caret by two."""
    source, caret = plain(replace(HERE, source="行 = c.fetchall()", column=5, end_column=17))
    assert (caret.index("^"), caret.count("^")) == (source.index("c.") + 1, 12)


def test_a_long_line():
    """It is cut around the caret, to the width that there is, and says that it was."""
    finding = replace(HERE, source=f"{'a' * 200} = c.fetchall(){'b' * 200}", column=204, end_column=216)
    assert under(finding, 60) == "c.fetchall()"
    lines = plain(finding, 60)
    assert all(len(line) <= 60 for line in lines)
    assert lines[0].startswith("3 | …")
    assert lines[0].endswith("…")


def test_a_long_line_of_wide_letters():
    """It is cut by the columns that they take, in front of the caret, too, so that no terminal breaks it."""
    finding = replace(HERE, source="行" * 60 + " = c.fetchall()" + "\u200d名" * 60, column=64, end_column=76)
    source, caret = plain(finding, 60)
    assert cell_len(f"  {source}") <= 60
    assert cell_len(source[: source.index("c.f")]) == caret.index("^")
    assert caret.count("^") == 12


def test_no_line():
    """A file that cannot be looked at has none; nor has a place behind what is kept of a very long line."""
    assert shown(replace(HERE, source=""), 80) == []
    assert shown(replace(HERE, column=900), 80) == []


def test_what_a_terminal_would_obey():
    """It is told by its number, and the caret still fits."""
    finding = replace(HERE, source="'\x1b' ; c.fetchall()", column=7, end_column=19)
    assert under(finding) == "c.fetchall()"
    assert "\x1b" not in plain(finding)[0]


def test_a_cell():
    """In a notebook the cell stands before the line."""
    assert "src/a.py:cell 4:3:8: " in click.unstyle(TextReport().finding(replace(HERE, cell=4)))


def test_a_narrow_terminal():
    """Messages are broken between words there, and are one line anywhere else."""
    long = replace(HERE, message="It holds everything that there is." + " So it grows." * 9, source="")
    lines = click.unstyle(TextReport(60, wraps=True).finding(long)).splitlines()
    assert len(lines) > 3
    assert all(len(line) <= 60 for line in lines)
    assert all(line.startswith("    ") for line in lines[1:])
    assert " ".join(each.strip() for each in lines) == " ".join(click.unstyle(TextReport(60).finding(long)).split())


def test_bytes():
    """With a run, the bytes stand in front."""
    assert click.unstyle(TextReport().finding(HERE, 3 << 20)).startswith(
        "  3.0 MiB  src/a.py:3:8: FW101 It holds all. [sure]\n"
    )
    assert click.unstyle(TextReport().finding(HERE, 0)).startswith("  nothing  src/a.py")


def test_the_last_line():
    """It counts findings, files, what is known, and what was left out."""
    assert closing(Summary(files=1)) == "nothing found in 1 file.\n"
    assert closing(Summary(files=1, excluded=2)) == "nothing found in 1 file.\n"
    assert closing(Summary(excluded=2)) == "nothing found in 0 files; 2 left out by `exclude`.\n"
    whole = Summary(files=4000, files_with=2, tests=1, known=3, counts=Counter(FW101=2000))
    assert (
        closing(whole)
        == "2,000 findings in 2 of 4,000 files; 3 known to the baseline; 1 test left out (--include-tests).\n"
    )


def test_many_stale_entries():
    """The first are named, and the others counted."""
    stale = [Entry("a.py", "FW101", line, "sure", "") for line in range(12)]
    said = TextReport().end(Summary(stale=stale))
    assert said.startswith(
        "12 entries of the baseline are stale; --write-baseline drops them:\n  a.py: FW101, once in line 0\n"
    )
    assert "and 2 more" in said


def test_statistics():
    """Rules by how often they found something."""
    said = StatisticsReport({"FW101": "Rows."}).end(Summary(counts=Counter(FW101=9, FW202=10), files=3, files_with=2))
    assert said == "10  FW202\n 9  FW101  Rows.\n19 findings in 2 of 3 files.\n"
