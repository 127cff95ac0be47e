"""What a rule is about."""

from __future__ import annotations

import pytest

from flatwater import errors
from flatwater.cli.reports.lint_explain import FAMILIES, render
from flatwater.lint.rules import RULES


@pytest.mark.parametrize("rule", RULES, ids=lambda each: each.code)
def test_each_rule(rule):
    """It has its code, its name, its summary, what it finds, and how to leave it alone; a terminal of 80 columns is enough."""
    said = render(rule.code)
    assert said.startswith(f"{rule.code} {rule.name}\n")
    assert " ".join(rule.summary.split()) in " ".join(said.split())
    assert f"# flatwater: allow {rule.code}" in said
    assert max(map(len, said.splitlines())) <= 80
    assert render(rule.name) == said


def test_all():
    """Each rule has a line, below its family."""
    said = render("all")
    assert all(each.code in said for each in RULES)
    assert {each.code[:3] for each in RULES} <= set(FAMILIES)


def test_a_family():
    """Only its rules."""
    assert "FW203" in render("fw2")
    assert "FW101" not in render("fw2")


def test_files():
    """What is said of a file has a line, too."""
    assert "cannot be looked at" in render("FW000")


def test_none():
    """What is no rule is refused."""
    with pytest.raises(errors.UsageError, match="no rule is called 'E501'"):
        render("E501")
