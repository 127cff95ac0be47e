"""source.documents.listing: what paths and patterns name, sorted, in bounded memory."""

from __future__ import annotations

import glob
import os
import random

import pytest

from flatwater import limits
from flatwater.source.documents.listing import Listing


@pytest.fixture
def tree(write, tmp_path):
    names = [
        "a.txt",
        "a/x.md",
        "a/b/y.md",
        "a/b/z.txt",
        "a-b/q.md",
        "b.md",
        ".hidden/n.md",
        "a/.n.md",
        "ab.txt",
        "a[1].txt",
        "dé/é.md",
        "z/z/z/z.md",
    ]
    for name in names:
        write(name)
    return tmp_path


def listed(*arguments, start=(), **options):
    problems = []
    found = Listing([str(one) for one in arguments], lambda *problem: problems.append(problem), **options)
    return [file.path for file in found.files(*start)], problems


@pytest.mark.parametrize(
    "pattern",
    [
        "*.txt",
        "**/*.md",
        "a/**",
        "**",
        "*/*.md",
        "a*/*",
        "**/b/*",
        "**/z/**/*.md",
        "**/**/*.md",
        ".hidden/*",
        "a/.*",
        "[ab].*",
        "?.md",
    ],
)
def test_patterns_mean_what_they_mean_to_glob(tree, pattern):
    """The same files as the standard library's, sorted, without directories."""
    wanted = sorted({path for path in glob.glob(str(tree / pattern), recursive=True) if os.path.isfile(path)})
    assert listed(tree / pattern) == (wanted, [])
    assert wanted


def test_a_directory_is_all_below_it(tree):
    """Sorted by the whole path: a.txt stands before a/x.md."""
    paths, _ = listed(tree)
    assert paths == sorted(paths)
    assert [path[len(str(tree)) + 1 :] for path in paths][:4] == ["a-b/q.md", "a.txt", "a/b/y.md", "a/b/z.txt"]
    assert not any("/." in path[len(str(tree)) :] for path in paths)


def test_what_exists_is_no_pattern(tree):
    """A file whose name has brackets is that file."""
    assert listed(tree / "a[1].txt") == ([str(tree / "a[1].txt")], [])


def test_arguments_come_as_given(tree):
    """Each is sorted in itself, and none moves before another."""
    assert listed(tree / "b.md", tree / "a.txt", tree / "nothing.md")[0] == [
        str(tree / name) for name in ("b.md", "a.txt", "nothing.md")
    ]


@pytest.mark.parametrize("names_bytes_max", [400, 4 << 20])
def test_it_begins_anywhere(tree, names_bytes_max):
    """From any of its files on it lists that file and the rest, also where names do not fit."""
    paths, _ = listed(tree / "**")
    for number, path in enumerate(paths):
        assert listed(tree / "**", start=(0, path), names_bytes_max=names_bytes_max)[0] == paths[number:]
    assert listed(tree, tree / "*.md", start=(1, ""))[0] == [str(tree / "b.md")]


def test_it_begins_behind_what_is_gone(tree):
    """A file that was deleted meanwhile: the first one behind it comes next."""
    (tree / "a/b/y.md").unlink()
    assert listed(tree, start=(0, str(tree / "a/b/y.md")))[0][0] == str(tree / "a/b/z.txt")


def test_names_that_do_not_fit_are_read_again(tmp_path):
    """Thousands of names in a few KiB, none twice, none lost, in order."""
    chance = random.Random(4)
    for number in range(40):
        (tmp_path / f"d{number}").mkdir()
        for _ in range(chance.randrange(80)):
            (tmp_path / f"d{number}" / f"{chance.randrange(10**9)}.txt").touch()
    wanted = sorted(str(path) for path in tmp_path.rglob("*.txt"))
    held = []
    listing = Listing([str(tmp_path)], held.append, names_bytes_max=8_000)
    found = []
    for file in listing.files():
        found.append(file.path)
        held.append(sum(level.held_bytes for level in listing._levels))
    assert found == wanted
    assert max(held) <= 8_000


def test_links_do_not_lead_in_circles(tree):
    """`**` passes links to directories by; a part that names one follows it; a link to a file is that file."""
    os.symlink(tree, tree / "a" / "loop")
    os.symlink(tree / "b.md", tree / "a" / "link.md")
    os.symlink("self.md", tree / "a" / "self.md")
    assert not any("loop" in path for path in listed(tree)[0])
    assert str(tree / "a/link.md") in listed(tree)[0]
    assert str(tree / "a/self.md") in listed(tree)[0]  # opening it tells what is wrong
    assert listed(tree / "a/loop/*.md")[0] == [str(tree / "a/loop/b.md")]
    assert str(tree / "a/loop/b.md") in listed(tree / "a/*/*.md")[0]


def test_directories_as_deep_as_paths_go(tmp_path):
    """Beyond the bound a directory is reported, and the rest listed."""
    deep = tmp_path
    for _ in range(limits.DOCUMENT_DEPTH_MAX + 5):
        deep /= "d"
    deep.mkdir(parents=True)
    (deep / "x.txt").touch()
    (tmp_path / "e.txt").touch()
    paths, problems = listed(tmp_path)
    assert paths == [str(tmp_path / "e.txt")]
    assert "nested" in problems[0][1]


def test_a_directory_that_may_not_be_read(tree, monkeypatch):
    """It is reported, and the rest is listed."""
    scandir = os.scandir

    def refusing(path):
        if path == str(tree / "a"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    paths, problems = listed(tree)
    assert problems == [(str(tree / "a"), "this directory cannot be read: Permission denied")]
    assert str(tree / "b.md") in paths


def test_a_pattern_that_nothing_matches(tree):
    """That is said: it is most often a slip."""
    assert listed(tree / "*.pdf") == ([], [(str(tree / "*.pdf"), "nothing matches this pattern")])


def test_names_that_are_no_text(tmp_path):
    """Any bytes can be a name."""
    open(os.fsencode(tmp_path) + b"/\xe9\xff.txt", "wb").close()
    paths, _ = listed(tmp_path)
    assert os.path.exists(paths[0])


def test_what_a_place_can_be_in(tree):
    """A path is among what an argument names, or between it, only if it is spelled as the argument is."""
    arguments = [tree, f"{tree}/*.md", f"{tree}/a.txt", "*.md"]
    found = Listing([str(one) for one in arguments], print)
    assert [found.holds(number, f"{tree}/a.txt") for number in range(3)] == [True, True, True]
    assert not any(found.holds(number, f"{tree}x/a.txt") for number in range(3))
    assert not any(found.holds(number, f"{tree}/../a.txt") for number in (2,))
    assert not any(found.holds(number, "a.txt") for number in range(3))
    assert found.holds(3, "a.md")
