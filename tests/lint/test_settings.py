"""What a project asks for."""

from __future__ import annotations

import pytest

from flatwater.lint.finding import Confidence, Finding
from flatwater.lint.settings import Settings

CHOICES = {
    "all": (Settings(), "FW101", True),
    "a family": (Settings(select=("FW1",)), "FW101", True),
    "another family": (Settings(select=("FW2", "FW3")), "FW101", False),
    "ignored": (Settings(ignore=("FW101",)), "FW101", False),
    "ignored as a family": (Settings(select=("FW101",), ignore=("FW1",)), "FW101", False),
    "a file that cannot be looked at": (Settings(select=("FW2",)), "FW000", True),
    "such files, ignored": (Settings(ignore=("FW000",)), "FW000", False),
    "such files, where all of a family is ignored": (Settings(ignore=("FW1",)), "FW000", True),
}


@pytest.mark.parametrize(("settings", "code", "chosen"), CHOICES.values(), ids=CHOICES)
def test_codes(settings, code, chosen):
    """Those that are selected and not ignored; a file that cannot be looked at is told whatever is selected."""
    assert settings.chooses(code) == chosen


def test_for_some_files():
    """Patterns are of paths or names; all that fit count."""
    settings = Settings(per_file_ignores=(("src/old/*", ("FW1",)), ("models.py", ("FW302",))))
    assert settings.ignored_in("src/old/models.py") == ("FW1", "FW302")
    assert settings.ignored_in("src/new/views.py") == ()


@pytest.mark.parametrize("pattern", ["src", "src/", "./src/old/*", "**/old", "src/**/models.py", "/project/src/old"])
def test_forms_of_patterns(pattern):
    """A folder is all that is below it, in whichever form it is written."""
    settings = Settings(per_file_ignores=((pattern, ("FW1",)),), root="/project")
    assert settings.ignored_in("src/old/models.py") == ("FW1",)
    assert settings.ignored_in("source/models.py") == ()


@pytest.mark.parametrize("least", Confidence)
def test_certainty(least):
    """What is at least as sure as that is told."""
    told = [
        each for each in Confidence
        if Settings(confidence=least).tells(Finding("a.py", 1, 1, "FW101", "", each, 1, 1, ""))
    ]  # fmt: skip
    assert told == [each for each in Confidence if each >= least]
