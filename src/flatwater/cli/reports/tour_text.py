"""The words of `flatwater tour`: a table with a row for each step, what the steps found, the limit and the verdict.

Covers:     the columns, the notes below them, a tour that died.
Not here:   the figures (`tour.report`).
Holds:      one text.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

import click

from flatwater import units
from flatwater.tour.report import HOLDS, Row, TourReport
from flatwater.tour.trial import Run, Trial

LABEL_WIDTH = 10
COLUMNS = ("step", "items", "bytes", "rate", "promised", "seen")
NAIVE = "naive"  # the last column, where twins were tried


def render(report: TourReport) -> str:
    """The table, what each step found, what the process was like, and the verdict."""
    lines = _table(report) if report.rows else []
    for row in report.rows:
        lines += [_labelled(row.step if number == 0 else "", note) for number, note in enumerate(notes(row, report))]
    lines += [_labelled(label, text) for label, text in process(report)]
    verdict = _labelled("result", plain(report.verdict))
    lines.append(click.style(verdict, fg="green" if report.exit_code == HOLDS else "red"))
    return "\n".join(lines) + "\n"


def kept(folder: str) -> str:
    """What is in the folder that was kept, as five commands to try."""
    lines = [f"  kept in   {plain(folder)}; five commands to try on it (rm -r removes it):"]
    lines += [f"    {command}" for command in commands(folder)]
    return "\n".join(lines) + "\n"


def commands(folder: str) -> list[str]:
    """As a shell takes them."""

    def at(name: str) -> str:
        return shlex.quote(os.path.join(folder, name))

    return [
        f"flatwater store stats {at('store')}",
        f"flatwater search {at('corpus')} 'how is it installed' --limit 3",
        f"flatwater sync apply {at('inputs')} {at('copy')} --state {at('copy.state')}",
        f"flatwater sql {at('served')} -c 'SELECT id, name, cents FROM accounts LIMIT 5'",  # noqa: S608 - a command line
        f"flatwater serve {at('served')} --port 0",
    ]


def plain(text: str) -> str:
    r"""Text from files, without anything that a terminal would obey.

    >>> print(plain("a\x1b[31mb"))
    a\x1b[31mb
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "backslashreplace").decode()
        for letter in text
    )


def cells(report: TourReport) -> list[tuple[str, ...]]:
    """The table: its head, and a line for each step."""
    naive = (NAIVE,) if report.is_tried else ()
    return [(*COLUMNS, *naive), *(_cells(row, report) for row in report.rows)]


def alone_words(trial: Trial) -> str:
    """How the step went alone, under a limit of just what it promised."""
    limit = units.format_bytes(trial.limit_bytes)
    if trial.alone.survived:
        return f"{_size(trial.alone.seen)} under a limit of {limit}, {units.format_duration(trial.alone.after_s)}"
    return f"did not come to its end under {limit}: {plain(trial.alone.words)}"


def baseline_words(run: Run) -> str:
    """Of the twin: from where its limit was counted."""
    return f"its baseline: {_size(run.baseline.get('rss_bytes'))} resident after its imports"


def _table(report: TourReport) -> list[str]:
    lines = cells(report)
    columns = len(lines[0])
    widths = [max(len(line[column]) for line in lines) for column in range(columns)]
    written = []
    for number, line in enumerate(lines):
        texts = [
            text.ljust(width) if column in {0, len(COLUMNS)} else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        written.append(click.style("  ".join(texts).rstrip(), bold=number == 0))
    return written


def _cells(row: Row, report: TourReport) -> tuple[str, ...]:
    trial = report.trials.get(row.step)
    naive = (trial.naive_words if trial else "-",) if report.is_tried else ()
    return (
        plain(row.step),
        f"{row.items:,} {plain(row.item_name)}",
        units.format_bytes(row.bytes),
        f"{row.items_per_s:,.0f}/s, {units.format_bytes(row.bytes_per_s)}/s",
        units.format_bytes(row.promised),
        units.format_bytes(row.seen) if row.seen >= 0 else "unknown",
        *naive,
    )


def notes(row: Row, report: TourReport) -> list[str]:
    """What a step found."""
    lines = [plain(note) for note in row.notes]
    if not row.complete:
        lines.append(
            f"stopped after {units.format_duration(report.seconds)} with more to read: --seconds gives it longer"
        )
    return lines


def process(report: TourReport) -> list[tuple[str, str]]:
    """What held it, and from where it was counted; what came of trials."""
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
    if report.is_tried and report.trials:
        rows += _tried(list(report.trials.values()))
    return rows


def _tried(trials: Sequence[Trial]) -> list[tuple[str, str]]:
    held = sum(trial.holds for trial in trials)
    most = max(trials, key=lambda trial: trial.alone.seen / trial.limit_bytes)
    words = (
        f"each step once more in a process of its own, under a limit of just what it promised: {held} of {len(trials)} held; "
        f"the nearest was {plain(most.step)}, {_size(most.alone.seen)} of {units.format_bytes(most.limit_bytes)}"
    )
    rows = [("alone", words)]
    ends = [trial.naive for trial in trials if trial.naive]
    if ends:
        dead = sum(not naive.survived for naive in ends)
        words = "the same work on the same input as programs do it that hold everything, under the same limits:"
        rows.append(("naive", f"{words} {dead} of {len(ends)} did not come to their end"))
    odd = [trial for trial in trials if trial.naive and trial.naive.kind == "failed"]
    rows += [("", f"{plain(trial.step)}: {plain(trial.naive.words)}") for trial in odd if trial.naive]
    return rows


def _known(count: object) -> bool:
    return isinstance(count, int) and count >= 0


def _size(count: object) -> str:
    return units.format_bytes(count) if isinstance(count, int) and count >= 0 else "unknown"


def _labelled(label: str, text: str) -> str:
    return f"  {plain(label):<{LABEL_WIDTH}}{text}"
