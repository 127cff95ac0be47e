"""What all reports have."""

from __future__ import annotations

import pytest

from flatwater.cli.reports.lint_github import GithubReport
from flatwater.cli.reports.lint_json import JsonReport
from flatwater.cli.reports.lint_report import Summary
from flatwater.cli.reports.lint_sarif import SarifReport
from flatwater.cli.reports.lint_text import StatisticsReport, TextReport
from flatwater.lint.finding import Confidence, Finding


@pytest.mark.parametrize(
    "report",
    [TextReport(), StatisticsReport({}), JsonReport(), SarifReport([]), GithubReport()],
    ids=lambda each: type(each).__name__,
)
def test_pieces(report):
    """Each call gives a piece of text, with a run's bytes and without."""
    here = Finding("a.py", 1, 1, "FW101", "", Confidence.MAYBE, 1, 2, "x")
    pieces = [report.begin(), report.finding(here), report.finding(here, 5), report.end(Summary())]
    assert all(isinstance(each, str) for each in pieces)
    assert "".join(pieces)
