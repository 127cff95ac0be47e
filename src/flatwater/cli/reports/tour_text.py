"""The words of `flatwater tour`: a table with a row for each step, what the steps found, the limit and the verdict.

Covers:     the columns, the notes below them, a tour that died.
Not here:   the figures (`tour.report`).
Holds:      one text.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from flatwater import units
from flatwater.tour.report import HOLDS, Row, TourReport

LABEL_WIDTH = 10
COLUMNS = ("step", "items", "bytes", "rate", "promised", "seen")


def render(report: TourReport) -> str:
    """The table, what each step found, what the process was like, and the verdict."""
    lines = _table(report.rows) if report.rows else []
    for row in report.rows:
        lines += [_labelled(row.step if number == 0 else "", note) for number, note in enumerate(_notes(row, report))]
    lines += [_labelled(label, text) for label, text in _process(report)]
    verdict = _labelled("result", plain(report.verdict))
    lines.append(click.style(verdict, fg="green" if report.exit_code == HOLDS else "red"))
    return "\n".join(lines) + "\n"


def plain(text: str) -> str:
    r"""Text from files, without anything that a terminal would obey.

    >>> print(plain("a\x1b[31mb"))
    a\x1b[31mb
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "backslashreplace").decode()
        for letter in text
    )


def _table(rows: Sequence[Row]) -> list[str]:
    cells = [COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(COLUMNS))]
    lines = []
    for number, line in enumerate(cells):
        texts = [
            text.ljust(width) if column == 0 else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        lines.append(click.style("  ".join(texts), bold=number == 0))
    return lines


def _cells(row: Row) -> tuple[str, ...]:
    return (
        plain(row.step),
        f"{row.items:,} {plain(row.item_name)}",
        units.format_bytes(row.bytes),
        f"{row.items_per_s:,.0f}/s, {units.format_bytes(row.bytes_per_s)}/s",
        units.format_bytes(row.promised),
        units.format_bytes(row.seen) if row.seen >= 0 else "unknown",
    )


def _notes(row: Row, report: TourReport) -> list[str]:
    notes = [plain(note) for note in row.notes]
    if not row.complete:
        notes.append(
            f"stopped after {units.format_duration(report.seconds)} with more to read: --seconds gives it longer"
        )
    return notes


def _process(report: TourReport) -> list[tuple[str, str]]:
    baseline, limit = report.baseline, report.limit
    rows = []
    if baseline:
        free = baseline["reusable_bytes"]
        spare = f", of which {_size(free)} were free to be used again" if _known(free) else ""
        rows.append(("baseline", f"{_size(baseline['rss_bytes'])} resident after the imports{spare}"))
    promise = units.format_bytes(report.promise_bytes)
    match report.limit_kind:
        case "none":
            words = f"none: {report.limit_note}"
        case "rlimit_data":
            words = f"RLIMIT_DATA: {promise} of address space above the baseline"
            if limit and _known(above := limit["above_baseline_bytes"]):
                words += f", so at most {_size(above)} of memory"
        case kind:
            words = f"{kind}: {promise}, counted from the baseline on; file pages and the kernel's own count, too"
    rows.append(("limit", words))
    return rows


def _known(count: object) -> bool:
    return isinstance(count, int) and count >= 0


def _size(count: object) -> str:
    return units.format_bytes(count) if isinstance(count, int) and count >= 0 else "unknown"


def _labelled(label: str, text: str) -> str:
    return f"  {plain(label):<{LABEL_WIDTH}}{text}"
