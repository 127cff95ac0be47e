"""Findings beside the lines of a pull request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flatwater.cli.reports.lint_github import GithubReport
from flatwater.lint.finding import Confidence, Finding

HERE = Finding("src/a.py", 3, 8, "FW101", "It holds all.", Confidence.SURE, 3, 20, "rows = c.fetchall()")


def test_a_line():
    """Level, place and rule; the last column is that of the last character."""
    said = GithubReport().finding(HERE)
    assert said == "::error file=src/a.py,line=3,endLine=3,col=8,endColumn=19,title=FW101 (sure)::It holds all.\n"


@pytest.mark.parametrize(("confidence", "level"), [("SURE", "error"), ("LIKELY", "warning"), ("MAYBE", "notice")])
def test_levels(confidence, level):
    """The surer, the louder."""
    assert GithubReport().finding(replace(HERE, confidence=Confidence[confidence])).startswith(f"::{level} ")


def test_several_lines():
    """Columns of two lines are not compared: GitHub refuses an end column there."""
    assert "endColumn" not in GithubReport().finding(replace(HERE, end_line=5))


def test_what_has_a_meaning():
    """Names and messages cannot begin a command of their own."""
    said = GithubReport().finding(replace(HERE, path="a,b:c\n::error::%.py", message="100%\r\n::x"))
    assert said.count("\n") == 1
    assert "file=a%2Cb%3Ac%0A%3A%3Aerror%3A%3A%25.py," in said
    assert said.endswith("::100%25%0D%0A::x\n")


def test_a_cell():
    """In a notebook the message says where."""
    said = GithubReport().finding(replace(HERE, cell=4), 3 << 20)
    assert said == "::error file=src/a.py,title=FW101 (sure)::cell 4, line 3: It holds all. (3.0 MiB allocated here)\n"
