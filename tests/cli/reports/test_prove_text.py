"""cli.reports.prove_text: the words of `flatwater prove`."""

from __future__ import annotations

import click
import pytest

from flatwater import errors
from flatwater.cli.reports import prove_text
from flatwater.proof.baseline import Drift
from flatwater.proof.growth import judge
from flatwater.proof.points import Point, ScenarioFailed, ScenarioUnfit
from flatwater.proof.result import Proof

MIB = 1 << 20


def proof_of(**options):
    sizes = [25_000 << step for step in range(5)]
    peaks = [3 * MIB << step for step in range(5)]
    points = [
        Point(n, 10 * MIB + peak, 10 * MIB + peak, 10 * MIB, 0, 0.1, 0.2) for n, peak in zip(sizes, peaks, strict=True)
    ]
    return Proof("jobs.py::load", judge(sizes, peaks), points, **options)


@pytest.mark.parametrize(("outcome", "colour"), [("holds", "32"), ("fails", "31"), ("undecided", "33")])
def test_a_proof(outcome, colour):
    """The name, the table, the figures, and the outcome in its colour, as the last line."""
    text = prove_text.render(proof_of(outcome=outcome, because="the reason."))
    lines = click.unstyle(text).splitlines()
    assert lines[0] == "flatwater prove: jobs.py::load"
    assert lines[1].split() == ["n", "peak", "(rss)", "above", "start", "CPU", "wall"]
    assert lines[2].split() == ["25,000", "13.0", "MiB", "3.0", "MiB", "100", "ms", "200", "ms"]
    assert lines[-1] == f"  {outcome:<12}the reason."
    assert f"\x1b[{colour}m  {outcome}" in text
    assert text.endswith("\n")
    assert len({line.index("  ", 3) > 0 for line in lines[1:7]}) == 1


def test_columns_line_up():
    """Each line of the table is as wide as its head, up to peaks and sizes that no machine has."""
    points = [Point(99_999_999_999, 1 << 43, 1 << 43, 1 << 42, 0, 86_400.0, 3e6), Point(1, 0, 0, 0, 0, 0, 0)]
    head, *rows = prove_text.table(points, "anon")
    assert {len(row) for row in rows} <= {len(head), len(head) + 3}


def test_a_failure_shows_what_was_printed():
    """The end of a scenario's own output, indented; the traceback of an import that failed; nothing where there is none."""
    error = ScenarioFailed("load at n=7 failed: ValueError: 7.", n=7, output="\n".join(map(str, range(100))) + "\n\n")
    lines = prove_text.failure(error).splitlines()
    assert lines[0] == "flatwater: load at n=7 failed: ValueError: 7."
    assert lines[1:] == [f"  | {number}" for number in range(70, 100)]
    error = ScenarioUnfit("load cannot be imported.", hint="Look.")
    error.add_note("Traceback: here\n")
    assert prove_text.failure(error) == "flatwater: load cannot be imported. Look.\n  | Traceback: here"
    assert prove_text.failure(errors.LimitReached("too much.")) == "flatwater: too much."


def test_what_drifted():
    """A line each below the name of the baseline; red where it is for the worse."""
    assert prove_text.drifted([], "b.json") == "  baseline    b.json: nothing drifted\n"
    found = [Drift("a", "peak", "was 1, is 2", worse=True), Drift("b", "peak", "was 2, is 1", worse=False)]
    text = prove_text.drifted(found, "b.json")
    assert click.unstyle(text) == (
        "  baseline    b.json: 2 drifted\n              a: peak was 1, is 2\n              b: peak was 2, is 1\n"
    )
    assert text.count("\x1b[31m") == 1
