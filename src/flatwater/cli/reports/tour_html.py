"""The page of `flatwater tour`: the table and a timeline of each step, in one file that asks the network for nothing.

Covers:     the verdict, the closing table, each step beside its naive twin, the machine, how it was measured.
Not here:   the terminal's words (`tour_text`, whose table and sentences it shares), drawing (`tour_chart`).
Holds:      one page of text.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
from pathlib import Path

from flatwater import units
from flatwater.cli.reports import page, tour_text
from flatwater.cli.reports.tour_chart import chart_of
from flatwater.tour.curve import Curve
from flatwater.tour.report import HOLDS, Row, TourReport
from flatwater.tour.trial import Trial

_SOURCE_CHARS_MAX = 8_192  # of a twin that is shown
_LIBRARIES = ("apsw", "lmdb", "pypdfium2", "lxml", "numpy", "sqlglot", "uvicorn", "websockets")
_WHAT = {  # what a step does, and what its twin does in its place
    "table": ("rows of a SQL table with find_each, a batch after another", "fetchall, then a loop"),
    "words": ("the words of all text there is, a piece of a file at a time", "all texts in a list, joined, split, counted"),
    "documents": ("PDF, HTML, DOCX and texts in pieces, hostile kinds in a process that can be ended", "the text of every document in a list"),
    "flow": ("documents, cleaned, as typed rows, into a store: one flow of batches", "a list between every two stages"),
    "store": ("rows into a store that is walked and changed at once, in short transactions", "one transaction that collects all changes"),
    "sync": ("two folders made the same, twice; the second run has nothing to do", "both listings in dicts, files read whole"),
    "corpus": ("documents made searchable, brought in step twice, and searched", "all chunks in a list, all vectors in lists of floats"),
    "live": ("rows of several users in a live table, and thousands of subscriptions", "a copy of each change in a queue of each subscriber"),
    "serve": ("rows that change, served to a thousand connections", "each change made into JSON for each connection, in a queue of its own"),
}  # fmt: skip


def render(report: TourReport) -> str:
    """The page, UTF-8 text. Everything that files or programs could influence is escaped."""
    head, *body = tour_text.cells(report)
    ends = [trial.naive for trial in report.trials.values() if trial.naive]
    return page.render(
        "tour.html.j2",
        report=report,
        state="good" if report.exit_code == HOLDS else "bad",
        head=head,
        body=[
            [tour_text.plain(cell) for cell in cells] + [_state(report.trials.get(row.step))]
            for cells, row in zip(body, report.rows, strict=True)
        ],
        sections=[_section(row, report) for row in report.rows if "left_out" not in row.details],
        left_out=[row for row in report.rows if "left_out" in row.details],
        tiles=[
            (units.format_bytes(report.promise_bytes), "promised above the baseline, and the kernel's limit"),
            (units.format_bytes(max((row.seen for row in report.rows), default=0)), "the most that was seen of it"),
            (
                f"{sum(trial.holds for trial in report.trials.values())} of {len(report.trials)}",
                "steps held alone, each under its own promise",
            ),
            (
                f"{sum(not naive.survived for naive in ends)} of {len(ends)}",
                "naive twins did not survive the same limit",
            ),
            (units.format_duration(report.wall_s), "for all of it"),
        ],
        facts=[(label, words) for label, words in tour_text.process(report) if label],
        python=f"{platform.python_implementation()} {platform.python_version()}",
        libraries=", ".join(f"{name} {version}" for name in _LIBRARIES if (version := _version(name))),
        verdict=tour_text.plain(report.verdict),
    )


def _section(row: Row, report: TourReport) -> dict[str, object]:
    trial = report.trials.get(row.step)
    what, instead = _WHAT.get(row.step, ("", ""))
    nothing = Curve()
    naive = trial.naive if trial else None
    return {
        "name": tour_text.plain(row.step),
        "what": what,
        "instead": instead,
        "figures": f"{row.items:,} {row.item_name} in {units.format_duration(row.wall_s)}",
        "promised": units.format_bytes(row.promised),
        "seen": units.format_bytes(row.seen) if row.seen >= 0 else "unknown",
        "alone": tour_text.alone_words(trial) if trial else "",
        "naive": trial.naive_words if trial else "",
        "naive_words": tour_text.plain(naive.words) if naive else "",
        "naive_baseline": tour_text.baseline_words(naive) if naive else "",
        "survived": naive.survived if naive else False,
        "source": _source(trial.twin) if trial else "",
        "notes": [tour_text.plain(note) for note in tour_text.notes(row, report)],
        "chart": chart_of(
            row.promised,
            report.curves.get(row.step, nothing),
            trial.alone.curve if trial else nothing,
            naive.curve if naive else nothing,
            naive.after_s if naive else 0.0,
        ),
    }


def _state(trial: Trial | None) -> str:
    if trial is None or trial.naive is None:
        return ""
    return "lived" if trial.naive.survived else "died"


def _source(module: str) -> str:
    """The text of a twin, without its header."""
    try:
        found = importlib.util.find_spec(module) if module else None
        text = Path(found.origin).read_text("utf-8") if found and found.origin else ""
    except (ImportError, OSError, ValueError):
        return ""
    return text.partition("from __future__ import annotations\n")[2].strip()[:_SOURCE_CHARS_MAX]


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
