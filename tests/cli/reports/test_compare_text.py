"""cli.reports.compare_text: what `flatwater compare` prints."""

from __future__ import annotations

import runpy
from pathlib import Path

import click
import pytest

from flatwater import errors
from flatwater.cli.reports import compare_text
from flatwater.proof.points import ScenarioFailed

HELPERS = runpy.run_path(str(Path(__file__).parents[2] / "proof" / "compared.py"))
compared, fails_from = HELPERS["compared"], HELPERS["fails_from"]
MIB = 1 << 20


def test_table_sentences_outcome():
    """A title, the table, an empty line, a sentence for each, the outcome last; without colours it is the same text."""
    found = compared({"all": lambda n: 400 * n, "batched": lambda n: MIB})
    text = compare_text.render(found)
    lines = click.unstyle(text).splitlines()
    assert lines[0] == "flatwater compare: 2 scenarios"
    assert lines[1:] == str(found).splitlines()
    assert lines[4] == ""
    assert lines[-1].split()[0] == "holds"
    assert text.endswith("\n")


@pytest.mark.parametrize(
    ("formulas", "outcome", "colour"),
    [
        ({"a": lambda n: 400 * n, "b": lambda n: MIB}, "holds", "\x1b[32m"),
        ({"b": lambda n: MIB, "a": lambda n: 400 * n}, "fails", "\x1b[31m"),
        ({"a": lambda n: MIB, "b": fails_from(1, ScenarioFailed("b died.", n=1))}, "failed", "\x1b[31m"),
    ],
)
def test_the_outcome_has_a_colour(formulas, outcome, colour):
    """Green for held, red for not."""
    last = compare_text.render(compared(formulas)).splitlines()[-1]
    assert last.startswith(colour)
    assert outcome in last


def test_a_failure_shows_what_was_printed():
    """The scenario's name, the error, and the end of its output behind bars."""
    error = ScenarioFailed("jobs.py::load at n=40,000 failed: ValueError.", n=40_000, output="one\ntwo\n" * 40)
    lines = compare_text.failure("all", error).splitlines()
    assert lines[0] == "flatwater: all: jobs.py::load at n=40,000 failed: ValueError."
    assert lines[-1] == "  | two"
    assert len(lines) == 31


def test_a_name_is_not_said_twice():
    """Where the scenario is its own name, the error begins with it already."""
    error = errors.BrokenError("jobs.py::load at n=40,000 failed.")
    assert compare_text.failure("jobs.py::load", error) == "flatwater: jobs.py::load at n=40,000 failed."
