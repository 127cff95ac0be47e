"""The words of `flatwater compare` on a terminal: the table, a sentence for each scenario, what a failed one printed.

Covers:     colours, and the output of what failed.
Not here:   the table (`proof.sidebyside`), the page (`compare_html`).
Holds:      one text.
"""

from __future__ import annotations

import click

from flatwater import errors
from flatwater.cli.reports import prove_text
from flatwater.proof import sidebyside
from flatwater.proof.comparison import Comparison

_COLOURS = {"holds": "green", "fails": "red", "undecided": "yellow", "failed": "red"}


def render(comparison: Comparison) -> str:
    """The table, and the sentences below it."""
    head, *table = sidebyside.table(comparison)
    width = sidebyside.label_width(comparison)
    *sentences, (outcome, because) = sidebyside.rows(comparison)
    lines = [
        click.style(f"flatwater compare: {len(comparison.scenarios)} scenarios", bold=True),
        head,
        *table,
        "",
        *(f"  {label:<{width}}  {text}" for label, text in sentences),
        click.style(f"  {outcome:<{width}}  {because}", fg=_COLOURS[outcome]),
    ]
    return "\n".join(lines) + "\n"


def failure(name: str, error: errors.FlatwaterError) -> str:
    """Why a scenario has no verdict, with the end of what it printed about it."""
    words = prove_text.failure(error)
    return words if str(error).startswith(name) else words.replace("flatwater: ", f"flatwater: {name}: ", 1)
