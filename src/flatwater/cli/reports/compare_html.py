"""The page of `flatwater compare --html`: one file that opens anywhere and asks the network for nothing.

Covers:     the table, the chart with linear and logarithmic axes, all points, what failed, what each number means.
Not here:   the terminal's words (`compare_text`), drawing (`compare_chart`), the sentences (`proof.comparison`).
Holds:      one page of text.
"""

from __future__ import annotations

from flatwater import units
from flatwater.cli.reports import page
from flatwater.cli.reports.compare_chart import drawing_of
from flatwater.cli.reports.prove_text import OUTPUT_LINES_MAX
from flatwater.proof import sidebyside
from flatwater.proof.comparison import Comparison
from flatwater.proof.points import ScenarioFailed

COLOURS = 6
_STATES = {"holds": "good", "fails": "bad", "undecided": "failed", "failed": "failed"}


def render(comparison: Comparison) -> str:
    """The page, UTF-8 text. Everything a scenario could influence is escaped."""
    rows = comparison.table()
    sentences = dict(comparison.sentences())
    charts = [
        (view, drawing)
        for view in ("linear", "log")
        if (drawing := drawing_of(comparison, log=view == "log")) is not None
    ]
    return page.render(
        "compare.html.j2",
        comparison=comparison,
        title=title(comparison),
        state=_STATES[comparison.outcome],
        headers=sidebyside.headers(comparison),
        rows=[
            {
                "row": row,
                "cells": sidebyside.cells_of(row, comparison)[1:],
                "sentence": sentences[row.name],
                "points": comparison.points(row.name),
                "notes": row.proof.notes if row.proof is not None else [],
                "output": _output(comparison, row.name),
            }
            for row in rows
        ],
        tiles=tiles(comparison),
        charts=charts,
        shown="log" if _is_far(comparison) else "linear",
        is_projected=_is_far(comparison),
        whole=sidebyside.whole_words(comparison),
        colours=COLOURS,
    )


def title(comparison: Comparison) -> str:
    """One line: what was found of two, or what stands beside what."""
    others = comparison.table()[1:]
    if len(others) > 1:
        return f"{len(others)} scenarios beside {comparison.first}"
    other = others[0]
    if other.times is None:
        return f"{other.name} beside {comparison.first}"
    return f"{other.name} {other.times.words} {comparison.first} at n={comparison.n:,}"


def tiles(comparison: Comparison) -> list[tuple[str, str]]:
    """A figure and what it is: how many times less each is, and where the budget is spent."""
    rows = comparison.table()
    found = [
        (
            f"{row.times.figure}{' less' * (row.times.direction == 'less')}",
            f"{row.name}, beside {comparison.first} at n={comparison.n:,}",
        )
        for row in rows
        if row.times is not None
    ]
    spent = [(row.name, row.proof.fails_at) for row in rows if row.proof is not None]
    return found + [
        (f"n={at:,}", f"{name} spends {units.format_bytes(comparison.budget_bytes)}")
        for name, at in spent
        if at is not None
    ]


def _is_far(comparison: Comparison) -> bool:
    """Whether the target lies beyond all that was measured: only a logarithmic axis shows both."""
    measured = [point.n for name in comparison.scenarios for point in comparison.points(name)]
    return bool(comparison.proofs and comparison.target is not None and comparison.target > max(measured))


def _output(comparison: Comparison, name: str) -> str:
    error = comparison.failures.get(name)
    text = error.output if isinstance(error, ScenarioFailed) else "".join(getattr(error, "__notes__", ()))
    return "\n".join(text.rstrip().splitlines()[-OUTPUT_LINES_MAX:])
