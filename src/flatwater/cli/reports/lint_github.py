"""Findings as workflow commands of GitHub Actions, which show them beside the lines of a pull request.

Covers:     levels, places, what those commands want escaped.
Not here:   SARIF (`lint_sarif`), which code scanning takes.
Holds:      one line.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from flatwater import units

if TYPE_CHECKING:
    from flatwater.cli.reports.lint_report import Summary
    from flatwater.lint.finding import Finding

_LEVELS = {"sure": "error", "likely": "warning", "maybe": "notice"}


@final
class GithubReport:
    """A line for each finding."""

    def begin(self) -> str:
        """Nothing stands above."""
        return ""

    def finding(self, finding: Finding, allocated_bytes: int | None = None) -> str:
        """One command; in a notebook its message says the cell, as the file's lines are not the cell's."""
        at = {"file": finding.path}
        text = finding.message
        if finding.cell:
            text = f"cell {finding.cell}, line {finding.line}: {text}"
        else:
            at |= {"line": str(finding.line), "endLine": str(finding.end_line), "col": str(finding.column)}
            if finding.end_line == finding.line and finding.end_column > finding.column:
                at["endColumn"] = str(finding.end_column - 1)
        if allocated_bytes:
            text = f"{text} ({units.format_bytes(allocated_bytes)} allocated here)"
        at["title"] = f"{finding.code} ({finding.confidence})"
        said = ",".join(f"{name}={_property(value)}" for name, value in at.items())
        return f"::{_LEVELS[str(finding.confidence)]} {said}::{_message(text)}\n"

    def end(self, summary: Summary) -> str:  # noqa: ARG002 - the form of all reports
        """Nothing stands below."""
        return ""


def _message(text: str) -> str:
    valid = text.encode("utf-8", "backslashreplace").decode()
    return valid.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
