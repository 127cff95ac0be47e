"""Findings as SARIF, by the schema of OASIS."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from flatwater.cli.reports.lint_report import Summary
from flatwater.cli.reports.lint_sarif import SarifReport, location
from flatwater.lint.finding import Confidence, Finding
from flatwater.lint.rules import RULES

HERE = Finding("src/a.py", 3, 8, "FW101", "It holds all.", Confidence.SURE, 3, 20, "rows = c.fetchall()")
SHAPES = {
    "nothing": [],
    "one": [HERE],
    "of all confidences": [replace(HERE, confidence=each) for each in Confidence],
    "of all rules": [replace(HERE, code=each.code) for each in RULES],
    "a file that cannot be looked at": [Finding("a.py", 1, 1, "FW000", "The file is gone.", Confidence.SURE, 1, 1, "")],
    "over several lines": [replace(HERE, end_line=9, end_column=1)],
    "a notebook": [replace(HERE, path="a.ipynb", cell=4)],
    "names that are no text": [replace(HERE, path="a\udcff b\n.py", message="\udcff", source="\udcff")],
    "a path elsewhere": [replace(HERE, path="/else/where.py"), replace(HERE, path="../up.py")],
}


@pytest.fixture(scope="module")
def validator():
    """The schema, checked in."""
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((Path(__file__).parent / "sarif" / "schema.json").read_text("utf-8"))
    return jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())


def whole(findings, total_bytes=0, allocated_bytes=None):
    report = SarifReport([(each.code, each.name, each.summary) for each in RULES], total_bytes)
    text = (
        report.begin()
        + "".join(report.finding(each, allocated_bytes) for each in findings)
        + report.end(Summary(files=3))
    )
    assert text.isascii()
    return json.loads(text)


@pytest.mark.parametrize("findings", SHAPES.values(), ids=SHAPES)
def test_it_is_sarif(validator, findings):
    """Whatever is found, the document is as the schema wants it."""
    for more in ({}, {"total_bytes": 9, "allocated_bytes": 3}):
        assert [each.message for each in validator.iter_errors(whole(findings, **more))] == []


def test_the_schema_can_refuse(validator):
    """A result without a message is none."""
    broken = whole([HERE])
    del broken["runs"][0]["results"][0]["message"]
    assert list(validator.iter_errors(broken))


def test_a_result():
    """Its rule is one of the tool's, its place is the expression's, its fingerprint the finding's."""
    run = whole([HERE])["runs"][0]
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "FW101"
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"], region["endColumn"]) == (3, 8, 20)
    assert region["snippet"]["text"] == "c.fetchall()"
    assert result["partialFingerprints"] == {"flatwater/v1": HERE.fingerprint}


@pytest.mark.parametrize("more", [{"end_line": 4}, {"column": 600, "end_column": 700}, {"end_column": 60}])
def test_a_result_whose_text_is_not_at_hand(more):
    """Of several lines, or of a line that is cut: it has a region, and no snippet, which would be of something else."""
    (result,) = whole([replace(HERE, **more)])["runs"][0]["results"]
    assert "snippet" not in result["locations"][0]["physicalLocation"]["region"]


def test_a_notebook():
    """The message says the cell: the file's own lines are others."""
    (result,) = whole([replace(HERE, cell=4)])["runs"][0]["results"]
    assert result["message"]["text"].startswith("Cell 4, line 3: ")
    assert "region" not in result["locations"][0]["physicalLocation"]


def test_ranks():
    """With a run the rank is the share of its bytes."""
    (result,) = whole([HERE], total_bytes=200, allocated_bytes=50)["runs"][0]["results"]
    assert (result["rank"], result["properties"]["allocatedBytes"]) == (25.0, 50)


def test_addresses(tmp_path, monkeypatch):
    """They are relative to the folder of the command, and whole for files elsewhere."""
    monkeypatch.chdir(tmp_path)
    assert location(str(tmp_path / "a#b.py")) == {"uri": "a%23b.py", "uriBaseId": "SRCROOT"}
    assert location("a\udcff.py")["uri"] == "a%FF.py"
    assert location("../x.py")["uri"] == f"file://{tmp_path.parent}/x.py"
