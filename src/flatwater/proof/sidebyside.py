"""The table of a comparison: a line for each scenario, its figures side by side, a sentence below for each.

Covers:     columns, their widths, long names, what stands where there is no figure.
Not here:   the figures (`proof.comparison`), colours (`cli`).
Holds:      one text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flatwater import units

if TYPE_CHECKING:
    from flatwater.proof.comparison import Comparison, Row

NAME_LETTERS = 30  # of a name; a longer one keeps its end, which tells functions of one file apart
NOTHING = "-"


def lines(comparison: Comparison) -> list[str]:
    """The table, and label and sentence of each row below it."""
    width = label_width(comparison)
    return [*table(comparison), "", *(f"  {label:<{width}}  {text}" for label, text in rows(comparison))]


def table(comparison: Comparison) -> list[str]:
    """The head and a line for each scenario, aligned."""
    cells = [headers(comparison), *(cells_of(row, comparison) for row in comparison.table())]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    widths[0] = label_width(comparison)
    return [
        "  "
        + "  ".join(
            f"{cell:<{width}}" if column == 0 else f"{cell:>{width}}"
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]


def headers(comparison: Comparison) -> list[str]:
    """What each column is."""
    size = f"at n={comparison.n:,}" if comparison.n is not None else "scenario"
    found = [size, f"peak ({comparison.metric})", "above start", "per item", "CPU", "wall", "verdict", "times less"]
    if comparison.target is not None:
        found.append("at target")
    if comparison.budget_bytes:
        found.append("spent at n")
    return found


def cells_of(row: Row, comparison: Comparison) -> list[str]:
    """One scenario's cells, in the order of the headers."""
    point, proof = row.point, row.proof
    above = row.above_start_bytes
    cells = [
        shortened(row.name),
        units.format_bytes(point.peak_bytes) if point is not None else NOTHING,
        units.format_bytes(above) if above is not None else NOTHING,
        _item_words(row),
        units.format_duration(point.cpu_s) if point is not None else NOTHING,
        units.format_duration(point.wall_s) if point is not None else NOTHING,
        verdict(row),
        times(row, comparison),
    ]
    if comparison.target is not None:
        peak = proof.projected_peak if proof is not None else None
        cells.append(units.format_bytes(peak) if peak is not None else NOTHING)
    if comparison.budget_bytes:
        at = proof.fails_at if proof is not None else None
        cells.append(NOTHING if proof is None else f"{at:,}" if at is not None else "never")
    return cells


def verdict(row: Row) -> str:
    """One or two words."""
    if row.proof is None:
        return "failed"
    return f"grows ({row.proof.kind})" if row.proof.verdict == "grows" else row.proof.verdict


def times(row: Row, comparison: Comparison) -> str:
    """How many times less than the first."""
    if row.name == comparison.first and row.proof is not None:
        return "1x"
    return row.times.figure if row.times is not None else NOTHING


def rows(comparison: Comparison) -> list[tuple[str, str]]:
    """Label and text of each line below the table; the last is the outcome."""
    found = [(shortened(name), text) for name, text in comparison.sentences()]
    for name, proof in comparison.proofs.items():
        found += [("note", f"{shortened(name)}: {note}") for note in proof.notes]
    if whole := whole_words(comparison):
        found.append(("note", whole))
    found.append((comparison.outcome, comparison.because))
    return found


def whole_words(comparison: Comparison) -> str:
    """What to know where peaks are compared as a whole; empty where they are above the start."""
    if not comparison.is_whole:
        return ""
    return "times less are of whole peaks: what a command holds before its work is not known"


def label_width(comparison: Comparison) -> int:
    """Of the first column, and of the labels below the table."""
    return max(len(headers(comparison)[0]), len("undecided"), *(len(shortened(name)) for name in comparison.scenarios))


def shortened(name: str) -> str:
    """A name that fits a column.

    >>> shortened("docs/examples/compare_jobs.py::collect")
    '...es/compare_jobs.py::collect'
    """
    return name if len(name) <= NAME_LETTERS else "..." + name[3 - NAME_LETTERS :]


def _item_words(row: Row) -> str:
    proof = row.proof
    if proof is None:
        return NOTHING
    count = proof.bytes_per_item if proof.verdict == "grows" else proof.resolution
    figure = f"{count:.2g} B" if count < 10 else units.format_bytes(count)  # noqa: PLR2004 - two figures
    return figure if proof.verdict == "grows" else f"< {figure}" if proof.verdict == "constant" else NOTHING
