"""Findings as SARIF 2.1.0, which code hosts and editors show.

Covers:     the rules, results with places, levels, fingerprints and ranks.
Not here:   plain JSON (`lint_json`).
Holds:      one result's text.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, final
from urllib.parse import quote

import flatwater

if TYPE_CHECKING:
    from flatwater.cli.reports.lint_report import Summary
    from flatwater.lint.finding import Finding

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"sure": "warning", "likely": "warning", "maybe": "note"}
_RANKS = {"sure": 90.0, "likely": 60.0, "maybe": 30.0}


@final
class SarifReport:
    """One run of one tool.

    Args:
        rules: codes, names and summaries, in order.
        total_bytes: of a recorded run, which the findings' ranks are shares of; 0 for none.
    """

    def __init__(self, rules: list[tuple[str, str, str]], total_bytes: int = 0) -> None:
        self._rules = rules
        self._index = {code: number for number, (code, _name, _summary) in enumerate(rules)}
        self._total_bytes = total_bytes
        self._told = False

    def begin(self) -> str:
        """The tool and its rules."""
        driver = {
            "name": "flatwater lint",
            "version": flatwater.__version__,
            "rules": [
                {"id": code, "name": name, "shortDescription": {"text": summary}} for code, name, summary in self._rules
            ],
        }
        return (
            f'{{"$schema": {json.dumps(SCHEMA)}, "version": "2.1.0", "runs": [{{"tool": {{"driver": {json.dumps(driver)}}},\n'
            '"columnKind": "unicodeCodePoints", "results": ['
        )

    def finding(self, finding: Finding, allocated_bytes: int | None = None) -> str:
        """One result; where its place is in a notebook, its message says where, as the file's lines are not the cell's."""
        place: dict[str, Any] = {"artifactLocation": location(finding.path)}
        text = finding.message
        if finding.cell:
            text = f"Cell {finding.cell}, line {finding.line}: {text}"
        else:
            region: dict[str, Any] = {"startLine": finding.line, "startColumn": finding.column}
            if (finding.end_line, finding.end_column) > (finding.line, finding.column):
                region |= {"endLine": finding.end_line, "endColumn": finding.end_column}
            marked = finding.source[finding.column - 1 : finding.end_column - 1]
            if finding.end_line == finding.line and 0 < finding.end_column - finding.column == len(marked):
                region["snippet"] = {"text": _valid(marked)}  # of the region; the source of a very long line is cut
            place["region"] = region
        sure = str(finding.confidence)
        result: dict[str, Any] = {
            "ruleId": finding.code,
            "level": LEVELS[sure],
            "message": {"text": _valid(text)},
            "locations": [{"physicalLocation": place}],
            "partialFingerprints": {"flatwater/v1": finding.fingerprint},
            "rank": _RANKS[sure],
            "properties": {"confidence": sure},
        }
        if finding.code in self._index:
            result["ruleIndex"] = self._index[finding.code]
        if allocated_bytes is not None:
            result["properties"]["allocatedBytes"] = allocated_bytes
            if self._total_bytes:
                result["rank"] = round(min(100.0, 100 * allocated_bytes / self._total_bytes), 2)
        lead, self._told = ",\n" if self._told else "\n", True
        return lead + json.dumps(result)

    def end(self, summary: Summary) -> str:
        """How the run went."""
        rest = {
            "invocations": [{"executionSuccessful": True}],
            "properties": {"files": summary.files, "testsLeftOut": summary.tests, "knownToBaseline": summary.known},
        }
        return "\n], " + json.dumps(rest)[1:-1] + "}]}\n"


def location(path: str) -> dict[str, str]:
    """A file's address: relative to the folder that the command ran in, where it is below it.

    >>> location("src/a b.py")
    {'uri': 'src/a%20b.py', 'uriBaseId': 'SRCROOT'}
    """
    relative = os.path.relpath(path).replace(os.sep, "/") if os.path.isabs(path) else path
    if relative.startswith("../"):
        return {"uri": "file://" + quote(os.fsencode(os.path.abspath(path)))}
    return {"uri": quote(os.fsencode(relative)), "uriBaseId": "SRCROOT"}


def _valid(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
