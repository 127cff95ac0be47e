"""cli.reports.lab_text: the tables and sentences of `flatwater lab`."""

from __future__ import annotations

import dataclasses

import click
import pytest

from flatwater import units
from flatwater.cli.reports import lab_text
from flatwater.tour.lab import registry
from flatwater.tour.lab.finding import Finding, Measured
from flatwater.tour.lab.observing import Moment, Observation

MIB = units.MIB
(RANGES,) = registry.find(["ranges"])
(RETENTION,) = registry.find(["retention"])


def seen(peak, traced=-1, *moments):
    return Observation(1, peak, traced, 1.6, 0.25, moments)


def ranges(smaller=0):
    made = Moment("made", 0, 0, own_bytes=80_000_056)
    listed, ranged = RANGES.variants
    return Finding(RANGES, RANGES.size, small=False, measured=(
        Measured(listed, seen(383 * MIB, -1, made), seen(1400 * MIB, 400_000_000)),
        Measured(ranged, seen(smaller, -1, Moment("made", 0, 0, own_bytes=48)), seen(0, 416)),
    ))  # fmt: skip


def text_of(finding):
    return click.unstyle(lab_text.render(finding))


def test_a_table_has_all_figures_side_by_side():
    """A line a program: peak RSS, traced, getsizeof, CPU, wall, how many times less, the seed's figure."""
    text = text_of(ranges())
    (line,) = [line for line in text.splitlines() if line.startswith("  list(range(n)) ")]
    assert " ".join(line.split()) == "list(range(n)) 383 MiB 381 MiB 76.3 MiB 1.6 s 250 ms 381.46 MB, getsizeof 76.29"
    (line,) = [line for line in text.splitlines() if line.startswith("  range(n) ")]
    assert " ".join(line.split()) == "range(n) 0 B 416 B 48 B 1.6 s 250 ms > 2,000 x 0.0001 MB"
    assert "held: range(n): at least 2,000 times less peak RSS" in text
    assert "ranges: Add up numbers: a list of them, or the range (10,000,000 numbers)" in text


def test_columns_that_are_empty_are_left_out():
    """An experiment that traces nothing has no column for it; numbers are flush right under their headers."""
    made = Moment("made", 9 * MIB, 9 * MIB, live=8 * MIB, pinned=1, kept=1)
    found = Finding(RETENTION, 1, small=True, measured=(Measured(RETENTION.variants[1], seen(9, -1, made)),))
    table = lab_text.table_of(found)
    assert table.headers == ("program", "moment", "resident", "live", "pinned", "kept", "CPU", "wall")
    header, line, legend = text_of(found).splitlines()[1:4]
    assert header.index("resident") + len("resident") == line.index("9.0 MiB") + len("9.0 MiB")
    assert legend == f"  columns   {lab_text.BASES}"  # live may be more than resident: they begin elsewhere
    assert "columns " not in text_of(ranges())


def test_lines_fit():
    """The sentences are wrapped; none is wider than the page of text."""
    lines = text_of(ranges()).splitlines()
    assert max(map(len, lines)) <= lab_text.WIDTH
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize(
    ("finding", "says"),
    [
        (
            ranges(smaller=200 * MIB),
            "not held: range(n): 1.9 times less peak RSS than list(range(n)); asked: 100 times: does not hold",
        ),
        (ranges(smaller=-1), "undecided: range(n): nobody knows how much less"),
        (dataclasses.replace(ranges(), skipped="it needs more", measured=()), "skipped: it needs more"),
        (dataclasses.replace(ranges(), failure="they differ"), "failed: they differ"),
        (
            Finding(RANGES, 1, small=True, measured=(Measured(RANGES.variants[0], failure="it died"),)),
            "failed: list(range(n)): it died",
        ),
    ],
)
def test_each_end_has_its_words(finding, says):
    """Not held, undecided, skipped, failed: said with the reason; a failed program's row says so."""
    assert says in " ".join(text_of(finding).split())


def test_unknown_sizes_are_called_unknown():
    """A platform that does not tell a peak gets no number for it."""
    assert " unknown " in text_of(ranges(smaller=-1))


def test_opening_and_closing():
    """The machine stands above, the counts below; a small run says what it is worth."""
    assert "CPython" in lab_text.opening(small=False)
    assert "not comparable" not in lab_text.opening(small=False)
    assert "not comparable" in lab_text.opening(small=True)
    assert "charts" not in lab_text.opening(small=False)
    assert "  charts    left out" in lab_text.opening(small=False, charts=lab_text.WITHOUT_CHARTS)
    skipped = dataclasses.replace(ranges(), skipped="no")
    assert lab_text.closing([ranges(), ranges(), skipped], 12.34) == "flatwater lab: 2 held, 1 skipped, in 12.3 s\n"
    assert lab_text.closing([], 0) == "flatwater lab: nothing was run, in 0 us\n"
