"""The page of `flatwater lab`: tables and charts in one file that asks the network for nothing.

Covers:     all experiments of a run, each with its chart, its table and what to take from it.
Not here:   the terminal's words (`lab_text`, whose tables and sentences it shares), the charts (`tour.lab.pictures`).
Holds:      one page of text, in it the pictures: about 60 KiB each.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from flatwater.cli.reports import lab_text, page
from flatwater.tour.lab.finding import Finding, State

CLASSES: dict[State, str] = {
    "held": "good",
    "not held": "bad",
    "failed": "failed",
    "undecided": "failed",
    "skipped": "failed",
}


def render(findings: Sequence[Finding], drawn: Mapping[str, bytes], wall_s: float, without: str = "") -> str:
    """The page, UTF-8 text.

    Args:
        findings: of the experiments, in the order they are shown.
        drawn: the chart of each experiment that has one, as PNG, by its name.
        wall_s: seconds that all of it took.
        without: why there are no charts; empty if there are.
    """
    sections = [
        {
            "finding": finding,
            "table": lab_text.table_of(finding),
            "verdicts": lab_text.verdicts(finding),
            "state": CLASSES[finding.state],
            "picture": base64.b64encode(drawn[name]).decode() if (name := finding.experiment.name) in drawn else "",
            "best": best_words(finding),
        }
        for finding in findings
    ]
    states = {finding.state for finding in findings}
    return page.render(
        "lab.html.j2",
        sections=sections,
        closing=lab_text.closing(findings, wall_s).removeprefix("flatwater lab: ").strip(),
        state="good" if states == {"held"} else "bad" if "not held" in states else "failed",
        small=lab_text.small_words() if any(finding.small for finding in findings) else "",
        without=without,
        meanings=lab_text.MEANINGS,
        machine=lab_text.machine(),
    )


def best_words(finding: Finding) -> str:
    """How many times less, for the tile on top; a dash where nothing was found."""
    if not finding.outcomes or finding.outcomes[0].holds is None:
        return "-"
    outcome = finding.outcomes[0]
    return outcome.figure
