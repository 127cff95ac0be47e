"""Findings as JSON, an object a line inside of one document.

Covers:     `findings`, and the figures at the end.
Not here:   SARIF (`lint_sarif`).
Holds:      one finding's text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from flatwater.cli.reports.lint_report import Summary
    from flatwater.lint.finding import Finding


@final
class JsonReport:
    """For programs: `{"version": 1, "findings": [...], "files": ..., ...}`."""

    def __init__(self) -> None:
        self._told = False

    def begin(self) -> str:
        """The document's beginning."""
        return '{"version": 1, "findings": ['

    def finding(self, finding: Finding, allocated_bytes: int | None = None) -> str:
        """One object; names of files that are no text are escaped."""
        said = finding.as_dict()
        if allocated_bytes is not None:
            said["allocated_bytes"] = allocated_bytes
        lead, self._told = ",\n" if self._told else "\n", True
        return lead + json.dumps(said)

    def end(self, summary: Summary) -> str:
        """The figures."""
        rest: dict[str, object] = {
            "files": summary.files, "files_with_findings": summary.files_with, "tests_left_out": summary.tests, "excluded": summary.excluded,
            "known_to_baseline": summary.known, "counts": dict(sorted(summary.counts.items())),
            "stale": [{"path": each.path, "code": each.code, "fingerprint": each.fingerprint} for each in summary.stale],
        }  # fmt: skip
        if summary.run:
            rest["run_bytes"] = summary.total_bytes
            rest["hot_lines"] = [
                {"path": each.path, "line": each.line, "function": each.function, "allocated_bytes": each.own_bytes}
                for each in summary.hot
            ]
        return ("\n" if self._told else "") + "], " + json.dumps(rest)[1:] + "\n"
