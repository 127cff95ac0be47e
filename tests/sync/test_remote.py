"""Names of unfinished files, and paths that are none."""

from __future__ import annotations

import pytest

from flatwater.sync.remote import is_unfinished, refused_path, shown, unfinished_name


def test_unfinished_names_are_the_same_each_time():
    """In the folder of the file, so that a rename publishes it; known by their form."""
    name = unfinished_name(b"a/b/c")
    assert name == unfinished_name(b"a/b/c") != unfinished_name(b"a/b/d")
    assert name.rpartition(b"/")[0] == b"a/b"
    assert is_unfinished(name.rpartition(b"/")[2])
    assert is_unfinished(unfinished_name(b"c"))
    assert not is_unfinished(b".flatwater-x.part")
    assert not is_unfinished(b"file")


@pytest.mark.parametrize(
    ("path", "why"), [(b"a//b", "''"), (b"/a", "''"), (b"a/", "''"), (b"", "''"), (b"..", "'..'"), (b"a/./b", "'.'"), (b"\x00", "zero byte"),
                      (b"n" * 256, "256 bytes"), (unfinished_name(b"x"), "unfinished")]
)  # fmt: skip
def test_paths_that_are_none(path, why):
    """Each with its reason."""
    assert why in refused_path(path)


@pytest.mark.parametrize("path", [b"a", b"a/b/c", b"...", b"..a", b"\xff", b"a\nb", b"n" * 255, b"C:\\x"])
def test_paths_that_are_some(path):
    """Odd as they may be."""
    assert refused_path(path) == ""


def test_shown():
    """On one line, whatever it has in it."""
    assert shown("ümläut/日本".encode()) == "ümläut/日本"
    assert shown(b"a\nb\xff\x1b[31m") == "a\\nb\\\\xff\\x1b[31m"
