"""Each pattern in six variants, with three harmless twins, written by somebody who did not know the rules: what is told by default."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flatwater.lint import linter

FOLDER = Path(__file__).parent / "variants"
LINES = json.loads((FOLDER / "lines.json").read_text())
PATTERNS = sorted(each.name for each in FOLDER.iterdir() if each.is_dir())
ENOUGH = 4  # of six


def told(path):
    return linter.lint_text(path.read_text(), path.name)


def is_told(path):
    """Whether a finding is at one of the lines, or beside it: a loop and what it goes over are one place."""
    wanted = LINES[f"{path.parent.name}/{path.stem}"]
    return any(each.line - 1 <= line <= each.end_line + 1 for each in told(path) for line in wanted)


def share(pattern):
    return sum(is_told(each) for each in sorted((FOLDER / pattern).glob("wrong_*.py")))


def test_most_patterns_are_told_by_default():
    """At least 22 of the 26 in four variants or more, and more than four of five of all variants."""
    counts = {each: share(each) for each in PATTERNS}
    assert len(counts) == 26
    assert sum(each >= ENOUGH for each in counts.values()) >= 22, counts
    assert sum(counts.values()) > 0.8 * 6 * len(counts), counts


@pytest.mark.parametrize("pattern", PATTERNS)
def test_twins_are_silent(pattern):
    """What looks the same and is bounded."""
    twins = sorted((FOLDER / pattern).glob("right_*.py"))
    assert len(twins) == 3
    assert [(each.name, found.line, found.code) for each in twins for found in told(each)] == []
