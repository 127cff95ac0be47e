"""What a rule says of a text."""

from __future__ import annotations

import gc
import re
import textwrap

import pytest

from flatwater.lint import linter, rules
from flatwater.lint.finding import Confidence
from flatwater.meter.retained import trim

collect_ignore = ["patterns", "variants", "blind"]  # texts that are looked at, and never run


@pytest.fixture(autouse=True, scope="module")
def given_back():
    """Trees of large files are given back to the system: other tests of this process look at what it holds."""
    yield
    gc.collect()
    trim()


@pytest.fixture
def said():
    """A function: the findings of one rule in a text, as `(line, confidence)`; "maybe" counts, too, if asked for."""

    def find(code, text, least="likely"):
        (rule,) = [each for each in rules.RULES if each.code == code]
        found = linter.lint_text(textwrap.dedent(text), "text.py", [rule], Confidence[least.upper()])
        return [(each.line, str(each.confidence)) for each in found]

    return find


@pytest.fixture
def marked():
    """A function: the lines of a text that end in `# FW…`, with their codes."""

    def find(text):
        return [
            (number, code)
            for number, line in enumerate(text.splitlines(), 1)
            for code in re.findall(r"# (FW\d{3})$", line)
        ]

    return find
