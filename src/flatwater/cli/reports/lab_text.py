"""The words of `flatwater lab`: a table for each experiment, what to take from it, and how it ended.

Covers:     the columns and cells, which the page (`lab_html`) shows as well.
Not here:   measuring (`tour.lab`), charts.
Holds:      one text.
"""

from __future__ import annotations

import os
import platform
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import click

from flatwater import units
from flatwater.tour.lab.experiment import Spot
from flatwater.tour.lab.finding import Finding, Measured, State
from flatwater.tour.lab.observing import Moment

WIDTH = 104
LABEL_WIDTH = 10
COLOURS: dict[State, str] = {
    "held": "green",
    "not held": "red",
    "failed": "red",
    "undecided": "yellow",
    "skipped": "yellow",
}
WITHOUT_CHARTS = "left out, as matplotlib is not installed: pip install 'flatwater[report]' gives them"
BASES = "resident is above the start; live, pinned, kept are of all, the interpreter's 7 MiB too"
MEANINGS = (
    (
        "peak RSS",
        "the most the kernel held in memory for the process at once, above what it held before the program began",
    ),
    (
        "tracemalloc",
        "the most that Python's allocators held at once, seen in a process of its own: tracing takes memory too",
    ),
    ("getsizeof", "what sys.getsizeof says of the object"),
    ("grew by", "the most above the resident size at the moment before"),
    ("resident", "above what the process held before the program began, at that moment"),
    ("live", "of all that is resident, in objects and blocks that are in use; the interpreter's own 7 MiB are in it"),
    ("pinned, kept", "free room in arenas that living objects keep; free pages that malloc keeps"),
    (
        "less",
        "how many times; '>' where the smaller figure is below what can be told from noise (192 KiB, traced 1 KiB)",
    ),
    ("seed", "the figure of the write-up that the experiment repeats; the Python labs' MB is 1,048,576 bytes"),
)


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as they are shown; columns that are empty throughout are left out.

    Attributes:
        headers: of the columns.
        rows: cells.
        numeric: which columns are flush right.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


def opening(*, small: bool, charts: str = "") -> str:
    """What comes before the first experiment; `charts` says why there are none."""
    lines = [
        click.style("flatwater lab: each program in a fresh process, one after the other", bold=True),
        f"  {'machine':<{LABEL_WIDTH}}{machine()}",
        f"  {'seed':<{LABEL_WIDTH}}is the figure of the write-up that an experiment repeats (docs/lab.md)",
    ]
    if small:
        lines.append(f"  {'small':<{LABEL_WIDTH}}{small_words()}")
    if charts:
        lines.append(f"  {'charts':<{LABEL_WIDTH}}{charts}")
    return "\n".join(lines) + "\n"


def small_words() -> str:
    """What a small run means."""
    return "a hundredth of the sizes (of retention, families and live tables a tenth, of states and builders a quarter): constants weigh more, and the seeds' figures are not comparable"


def machine() -> str:
    """What it ran on."""
    return (
        f"{platform.python_implementation()} {platform.python_version()}, {platform.system()} {platform.release()}, "
        f"{os.cpu_count()} processors"
    )


def render(finding: Finding) -> str:
    """One experiment: its table, and what to take from it."""
    experiment = finding.experiment
    lines = [
        click.style(f"{experiment.name}: {experiment.title}", bold=True) + f" ({finding.size:,} {experiment.item})"
    ]
    table = table_of(finding)
    lines += [f"  {row}".rstrip() for row in _aligned(table)]
    if "live" in table.headers:
        lines += _labelled("columns", BASES)
    lines += _labelled("shows", experiment.what_it_shows)
    words = experiment.seed + (f". {finding.why_different}" if finding.why_different else ".")
    lines += _labelled("seed", words)
    for index, words in enumerate(verdicts(finding)):
        styled = click.style(finding.state, fg=COLOURS[finding.state]) if index == 0 else ""
        lines += _labelled("result" if index == 0 else "", words, styled)
    return "\n".join(lines) + "\n"


def verdicts(finding: Finding) -> list[str]:
    """How it ended, a sentence a claim, or why there is none; without the state."""
    if finding.skipped:
        return [finding.skipped]
    if finding.failures:
        return list(finding.failures)
    return [outcome.words + ("" if outcome.holds else ": does not hold") for outcome in finding.outcomes]


def closing(findings: Sequence[Finding], wall_s: float) -> str:
    """The last line."""
    counts = {state: sum(finding.state == state for finding in findings) for state in COLOURS}
    words = ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "nothing was run"
    return f"flatwater lab: {words}, in {units.format_duration(wall_s)}\n"


def table_of(finding: Finding) -> Table:
    """All figures of an experiment, a row each variant, or each moment of each variant."""
    headers, rows = _by_moment(finding) if finding.experiment.by_moment else _by_variant(finding)
    if not rows:
        return Table((), (), ())
    used = [index for index in range(len(headers)) if any(row[index] for row in rows)]
    return Table(
        tuple(headers[index] for index in used),
        tuple(tuple(row[index] for index in used) for row in rows),
        tuple(headers[index] not in {"program", "moment", "seed"} for index in used),
    )


def _by_variant(finding: Finding) -> tuple[list[str], list[list[str]]]:
    headers = ["program", "peak RSS", "tracemalloc", "getsizeof", "CPU", "wall", "less", "seed"]
    rows = []
    for index, measured in enumerate(finding.measured):
        plain, traced = measured.plain, measured.traced
        rows.append(
            [
                measured.variant.label,
                _size(plain.peak) if plain else "failed",
                _size(traced.traced_peak) if traced else "",
                _size(measured.own_bytes) if measured.own_bytes >= 0 else "",
                units.format_duration(plain.cpu_s) if plain else "",
                units.format_duration(plain.wall_s) if plain else "",
                _times(finding, Spot(index)),
                ", ".join(figure.words for figure in measured.variant.seed_figures),
            ]
        )
    return headers, rows


def _by_moment(finding: Finding) -> tuple[list[str], list[list[str]]]:
    headers = [
        "program",
        "moment",
        "grew by",
        "resident",
        "tracemalloc",
        "live",
        "pinned",
        "kept",
        "CPU",
        "wall",
        "less",
        "seed",
    ]
    rows = []
    for index, measured in enumerate(finding.measured):
        if measured.plain is None:
            rows.append([measured.variant.label, "failed", *[""] * (len(headers) - 2)])
            continue
        for place, seen in enumerate(measured.plain.moments):
            moment = measured.at(seen.name) or seen
            rows.append(_moment_row(finding, measured, moment, Spot(index, moment.name), is_first=place == 0))
    return headers, rows


def _moment_row(finding: Finding, measured: Measured, moment: Moment, spot: Spot, *, is_first: bool) -> list[str]:
    plain, seed = measured.plain, measured.seed(moment.name)
    assert plain is not None
    return [
        measured.variant.label if is_first else "",
        moment.name,
        "" if finding.experiment.parts else _size(moment.peak),
        _size(moment.resident, known=True),
        _size(moment.traced) if measured.traced else "",
        *(_size(part) if finding.experiment.parts else "" for part in (moment.live, moment.pinned, moment.kept)),
        units.format_duration(plain.cpu_s) if is_first else "",
        units.format_duration(plain.wall_s) if is_first else "",
        _times(finding, spot),
        seed.words if seed else "",
    ]


def _times(finding: Finding, spot: Spot) -> str:
    outcome = finding.times_less(spot)
    if outcome is None or outcome.holds is None:
        return ""
    return outcome.figure


def _size(count: int, *, known: bool = False) -> str:
    return units.format_bytes(count) if count >= 0 or known else "unknown"


def _aligned(table: Table) -> list[str]:
    lines = [table.headers, *table.rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(table.headers))]
    return [
        "  ".join(
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, numeric in zip(line, widths, table.numeric, strict=True)
        )
        for line in lines
        if line
    ]


def _labelled(label: str, text: str, styled: str = "") -> list[str]:
    """A label, and text in lines beside it; the first word may be one that a terminal colours."""
    plain = f"{click.unstyle(styled)}: {text}" if styled else text
    lines = textwrap.wrap(plain, WIDTH - LABEL_WIDTH - 2) or [""]
    if styled:
        lines[0] = styled + lines[0].removeprefix(click.unstyle(styled))
    return [f"  {label if index == 0 else '':<{LABEL_WIDTH}}{line}" for index, line in enumerate(lines)]
