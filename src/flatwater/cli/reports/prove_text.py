"""The words of `flatwater prove`: the table, the verdict, what drifted, why there is no figure.

Covers:     one proof, drifts, errors with the scenario's own output.
Not here:   the figures (`proof.result`), the JUnit report (`junit`).
Holds:      one text.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import click

from flatwater import errors
from flatwater.proof.baseline import Drift
from flatwater.proof.points import ScenarioFailed
from flatwater.proof.result import Proof, table

LABEL_WIDTH = 12
OUTPUT_LINES_MAX = 30  # of a failed scenario's own output
_COLOURS = {"holds": "green", "fails": "red", "undecided": "yellow"}


def render(proof: Proof) -> str:
    """The table and the figures below it."""
    lines = [click.style(f"flatwater prove: {proof.scenario}", bold=True), *table(proof.points, proof.metric)]
    for label, text in proof.rows():
        words = f"  {label:<{LABEL_WIDTH}}{text}"
        lines.append(click.style(words, fg=_COLOURS[label]) if label in _COLOURS else words)
    return "\n".join(lines) + "\n"


def failure(error: errors.FlatwaterError) -> str:
    """Why there is no figure, with the end of what the scenario printed about it."""
    output = error.output if isinstance(error, ScenarioFailed) else "".join(getattr(error, "__notes__", ()))
    lines = output.rstrip().splitlines()[-OUTPUT_LINES_MAX:]
    return "\n".join([f"flatwater: {error}", *(textwrap.indent(line, "  | ") for line in lines)])


def drifted(found: Sequence[Drift], baseline: str) -> str:
    """A line for each figure that is not what it was."""
    lines = [f"  {'baseline':<{LABEL_WIDTH}}{baseline}: {'nothing drifted' if not found else f'{len(found)} drifted'}"]
    for drift in found:
        words = f"  {'':<{LABEL_WIDTH}}{drift}"
        lines.append(click.style(words, fg="red") if drift.worse else words)
    return "\n".join(lines) + "\n"
