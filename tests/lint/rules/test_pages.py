"""Each rule has a page, and the list of all rules is whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flatwater.lint import rules
from flatwater.lint.linter import lint_text

PAGES = Path(__file__).parents[3] / "docs" / "rules"
SECTIONS = ["Why", "Wrong", "Right", "When not to"]


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.code)
def test_a_rule_has_a_page(rule):
    """With its code, its name, what it finds, and why, wrong, right, when not to, in this order."""
    lines = (PAGES / f"{rule.code.lower()}.md").read_text().splitlines()
    assert lines[0] == f"# {rule.code} {rule.name}"
    assert lines[2] == rule.summary
    found = [line[3:] for line in lines if line.startswith("## ")]
    assert [each for each in found if each != "What ruff says"] == SECTIONS


def code_of(rule, section):
    """The blocks of Python in a section of its page."""
    text = (PAGES / f"{rule.code.lower()}.md").read_text()
    part = text.partition(f"## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", part, re.DOTALL)


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.code)
def test_what_is_wrong_on_its_page_is_told(rule):
    """Pasted into a file, by default."""
    for block in code_of(rule, "Wrong"):
        assert rule.code in {each.code for each in lint_text(block)}, block


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.code)
def test_what_is_right_on_its_page_is_not(rule):
    """Pasted into a file."""
    for block in code_of(rule, "Right"):
        assert [each.line for each in lint_text(block) if each.code == rule.code] == []


def test_there_is_no_page_without_a_rule():
    """What is gone has none."""
    assert {each.stem for each in PAGES.glob("fw*.md")} == {each.code.lower() for each in rules.RULES}


def test_the_list_names_all_rules():
    """In docs/rules/index.md, with what each finds."""
    text = (PAGES / "index.md").read_text()
    for rule in rules.RULES:
        assert f"| [{rule.code}]({rule.code.lower()}.md) | {rule.name} | {rule.summary} |" in text
