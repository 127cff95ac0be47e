"""Which files are taken."""

from __future__ import annotations

import pytest

from flatwater import errors
from flatwater.sync.patterns import Patterns


@pytest.mark.parametrize(
    ("include", "exclude", "taken", "left"),
    [
        ([], [], ["a", "b/c"], []),
        (["*.jpg"], [], ["a.jpg", "b/c.jpg"], ["a.png", "jpg"]),
        ([], ["*.tmp", "cache/"], ["a", "b/c"], ["x.tmp", "b/x.tmp", "cache/a", "b/cache/c/d"]),
        (["docs/**"], ["*.log"], ["docs/a", "docs/b/c"], ["a", "docs/x.log", "x/docs/a"]),
        ([], ["/top"], ["a/top"], ["top", "top/below"]),
        ([], ["*.log", "!keep.log"], ["keep.log"], ["a.log"]),
        ([], ["[ab]?"], ["a", "c1"], ["a1", "b2"]),
        ([], ["/*", "!/keep/"], ["keep/a", "keep/b/c"], ["a", "b/c", "b/keep/c"]),
        ([], ["logs/*"], ["a", "x/logs/a"], ["logs/a", "logs/b/c"]),
        (["photos/*"], [], ["photos/a", "photos/b/c"], ["a", "x/photos/a"]),
        ([], ["/"], ["a", "b/c"], []),
        ([], ["cache/", "a/**/z"], ["cache\n"], ["a\nb/cache/c", "cache/a\nb", "a/\n/z"]),
    ],
)
def test_as_in_gitignore(include, exclude, taken, left):
    """What is excluded is left out, whatever is included."""
    patterns = Patterns(include, exclude)
    assert [path for path in [*taken, *left] if patterns.takes(path.encode())] == taken


def test_names_that_are_no_text():
    """Bytes that are no UTF-8 are matched, and do no harm."""
    patterns = Patterns(exclude=["*.tmp"])
    assert patterns.takes(b"\xff\xfe")
    assert not patterns.takes(b"\xff.tmp")


@pytest.mark.parametrize("given", ["*.jpg", b"x", [1], 5, None, {"*.jpg": 1}])
def test_what_is_no_list_of_patterns(given):
    """A text alone would be taken letter by letter."""
    with pytest.raises(errors.UsageError, match="no list of patterns"):
        Patterns(include=given)


@pytest.mark.parametrize("wrong", ["!", "[z-a]"])
def test_what_is_no_pattern(wrong):
    """It is said, not thrown as whatever the library throws."""
    with pytest.raises(errors.UsageError, match="a pattern is none"):
        Patterns(exclude=[wrong])


def test_what_a_state_remembers():
    """Other patterns are said otherwise."""
    assert Patterns().said == ""
    assert Patterns(["a"], ["b"]).said != Patterns(["b"], ["a"]).said
    many = [f"{number}.txt" for number in range(10_000)]
    assert len(Patterns(exclude=many).said) < 100
    assert Patterns(exclude=many).said != Patterns(exclude=many[1:]).said
