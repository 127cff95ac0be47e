"""The patterns of unbounded memory, five variants of each, written before the rules: which of them are told by default."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flatwater.lint import linter

PATTERNS = sorted((Path(__file__).parent / "patterns").glob("*.py"))
# Told by default for fewer than four of five, each for a reason that its rule's page gives: in real packages these were wrong more often than right.
DOUBTFUL = {"cache_on_method", "gather", "submit_all", "text_added"}


def found(path, confidence=linter.Confidence.LIKELY):
    text = path.read_text()
    wanted = {(n, c) for n, line in enumerate(text.splitlines(), 1) for c in re.findall(r"# (FW\d{3})$", line)}
    said = {(each.line, each.code) for each in linter.lint_text(text, path.name, confidence=confidence)}
    return len(wanted & said), len(wanted)


@pytest.mark.parametrize("path", [each for each in PATTERNS if each.stem not in DOUBTFUL], ids=lambda path: path.stem)
def test_four_of_five_variants_are_told_by_default(path):
    """A pattern in other words is the same pattern."""
    told, written = found(path)
    assert written == 5
    assert told >= 4


@pytest.mark.parametrize("name", sorted(DOUBTFUL))
def test_what_is_doubtful_is_told_when_doubts_are_asked_for(name):
    """With `--confidence maybe`."""
    told, written = found(Path(__file__).parent / "patterns" / f"{name}.py", linter.Confidence.MAYBE)
    assert (written, told >= 4) == (5, True)


def test_most_patterns_are_told_by_default():
    """At least 22 of the 26 of the research, and one more."""
    told = [each.stem for each in PATTERNS if found(each)[0] >= 4]
    assert len(PATTERNS) == 27
    assert len(told) >= 22, sorted({each.stem for each in PATTERNS} - set(told))
