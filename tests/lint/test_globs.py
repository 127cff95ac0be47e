"""Patterns of files and folders."""

from __future__ import annotations

import pytest

from flatwater.lint import globs

FORMS = {
    "a name": ("*_pb2.py", "src/in/a_pb2.py"),
    "a path": ("src/a.py", "src/a.py"),
    "below a folder": ("src/*", "src/in/a.py"),
    "a folder with a slash": ("src/", "src"),
    "from here": ("./src/a.py", "src/a.py"),
    "in any folder": ("**/a.py", "src/in/a.py"),
    "in any folder, or none": ("**/a.py", "a.py"),
    "with none between": ("src/**/a.py", "src/a.py"),
    "an absolute one": ("/project/src", "src"),
}


@pytest.mark.parametrize(("pattern", "path"), FORMS.values(), ids=FORMS)
def test_what_fits(pattern, path):
    """The path, in each form that people write; no other one."""
    made = globs.compiled(pattern, "/project")
    assert globs.fits(made, path)
    assert not globs.fits(made, "other/b.txt")


def test_letters():
    """Large and small ones are not the same, on any system."""
    assert not globs.fits(globs.compiled("Src", "/"), "src")
