"""Findings as JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from flatwater.cli.reports.lint_json import JsonReport
from flatwater.cli.reports.lint_report import Summary
from flatwater.lint.finding import Confidence, Finding
from flatwater.lint.profile import Hot

HERE = Finding("src/a.py", 3, 8, "FW101", "It holds “all”.", Confidence.SURE, 3, 20, "rows = c.fetchall()")


def whole(findings, summary=None, **more):
    report = JsonReport()
    return json.loads(
        report.begin() + "".join(report.finding(each, **more) for each in findings) + report.end(summary or Summary())
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_one_document(count):
    """It is JSON whatever the number of findings."""
    assert len(whole([HERE] * count)["findings"]) == count


def test_what_a_finding_says():
    """Where, which rule, what, and how sure."""
    (found,) = whole([HERE])["findings"]
    assert (found["path"], found["line"], found["column"]) == ("src/a.py", 3, 8)
    assert (found["code"], found["message"], found["confidence"]) == ("FW101", "It holds “all”.", "sure")


def test_names_that_are_no_text():
    """They are escaped as Python keeps them."""
    assert whole([replace(HERE, path="\udcff\n.py")])["findings"][0]["path"] == "\udcff\n.py"


def test_with_a_run():
    """Bytes stand with findings, and hot lines at the end."""
    summary = Summary(run="held at the peak", total_bytes=9, hot=[Hot("b.py", 4, "g", 5)], counts=Counter(FW101=1))
    found = whole([HERE], summary, allocated_bytes=4)
    assert found["findings"][0]["allocated_bytes"] == 4
    assert found["hot_lines"] == [{"path": "b.py", "line": 4, "function": "g", "allocated_bytes": 5}]
    assert (found["run_bytes"], found["counts"]) == (9, {"FW101": 1})
