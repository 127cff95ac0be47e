"""What a tour's process writes down, and what is read of it when it is over, however it ended.

Covers:     lines of JSON, of which the last may be cut; what they say of a tour.
Not here:   what is noted (`tour.guide`, `tour.twin`), reading it meanwhile (`tour.curve`).
Holds:      `limits.TOUR_NOTES_BYTES` of text at most.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any, Protocol

from flatwater import limits
from flatwater.tour.report import Row, TourReport


class Note(Protocol):
    """Writes down facts, as one line that is on its way to the disk at once."""

    def __call__(self, **facts: object) -> None:
        """One line of them."""


@contextlib.contextmanager
def writing(path: str) -> Iterator[Note]:
    """What notes facts behind those that stand in the file."""
    with open(path, "a", encoding="utf-8") as file:

        def note(**facts: object) -> None:
            file.write(json.dumps(facts) + "\n")
            file.flush()

        yield note


def facts(path: str) -> Iterator[dict[str, Any]]:
    """What stands in each line; nothing if there is no such file."""
    try:
        with open(path, "rb") as file:
            lines = file.read(limits.TOUR_NOTES_BYTES).splitlines()
    except FileNotFoundError:  # it did not come so far
        return
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:  # it was killed while it wrote
            continue


def read(path: str, report: TourReport) -> None:
    """Put into `report` what stands in the file."""
    for fact in facts(path):
        report.baseline = fact.get("baseline", report.baseline)
        report.account = fact.get("account", report.account)
        report.running = fact.get("running", report.running)
        if limit := fact.get("limit"):
            # What was said when the limit was made holds for that kind alone.
            report.limit_note = limit["note"] or (report.limit_note if limit["kind"] == report.limit_kind else "")
            report.limit, report.limit_kind = limit, limit["kind"]
        if row := fact.get("row"):
            row["notes"] = tuple(row["notes"])
            report.rows.append(Row(**row))
