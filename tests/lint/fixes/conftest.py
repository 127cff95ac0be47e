"""What the fixes make of a text, and whether both do the same."""

from __future__ import annotations

import contextlib
import io
import textwrap

import pytest

from flatwater.lint.finding import Confidence
from flatwater.lint.fixing import Fixer
from flatwater.lint.linter import Linter
from flatwater.lint.settings import Settings


@pytest.fixture
def fixed(tmp_path):
    """A function: the text with the fixes of one rule."""

    def fix(code, text):
        path = tmp_path / "text.py"
        path.write_text(textwrap.dedent(text), "utf-8", newline="")
        made = Fixer(Linter(Settings(select=(code,), confidence=Confidence.MAYBE, include_tests=True))).file(str(path))
        assert made.why == ""
        return made.after.decode("utf-8")

    return fix


@pytest.fixture(scope="session")
def outcome():
    """A function: what a program's `f` gives or raises, and what it prints."""

    def run(text, *arguments):
        space, out = {}, io.StringIO()
        exec(compile(text, "text.py", "exec"), space)
        with contextlib.redirect_stdout(out):
            try:
                said = repr(space["f"](*arguments))
            except Exception as error:
                said = type(error).__name__
        return said, out.getvalue()

    return run
