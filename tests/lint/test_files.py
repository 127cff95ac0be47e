"""Which files are looked at, and their text."""

from __future__ import annotations

import os

import pytest

from flatwater import errors, limits
from flatwater.lint import files
from flatwater.lint.files import Unreadable, Walk


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A function that makes files in an empty working directory."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x = 1\n")

    monkeypatch.chdir(tmp_path)
    return make


def test_in_order(tree):
    """Python files and notebooks of all folders, by their names."""
    tree("b.py", "a/c.py", "a/b.ipynb", "a/notes.txt", "z.py")
    assert list(Walk(["."])) == ["a/b.ipynb", "a/c.py", "b.py", "z.py"]


def test_what_is_no_source(tree):
    """Caches, environments and what was built are left out; a package called build is not."""
    tree(
        ".git/a.py", "__pycache__/a.py", "node_modules/a.py", "mine/pyvenv.cfg", "mine/lib/a.py", "build/a.py", "dist/a.py",
        "src/build/__init__.py", "src/build/batch.py", "lib/site-packages/a.py",
    )  # fmt: skip
    assert list(Walk(["."])) == ["src/build/__init__.py", "src/build/batch.py"]


def test_what_is_named(tree):
    """A file that is named is looked at whatever it is called, also in a folder that is left out."""
    tree("script", "venv/a.py", ".hidden/b.py")
    assert list(Walk(["script", "venv/a.py", ".hidden"])) == ["script", "venv/a.py", ".hidden/b.py"]


def test_once(tree):
    """What is named twice, or below what is named, comes once, in its own turn."""
    tree("src/a.py", "src/in/b.py")
    whole = os.path.abspath("src/a.py")
    assert list(Walk(["./src", "src/", "src/a.py", "src/in", "src/a.py", whole])) == ["src/a.py", "src/in/b.py"]


def test_patterns(tree):
    """A pattern is of a path below the project's folder, or of a name; it counts for what is named, too."""
    tree("src/a.py", "src/a_pb2.py", "vendor/b.py", "src/old/c.py", "keep/old/d.py")
    walk = Walk([".", "src/a_pb2.py"], ["*_pb2.py", "vendor/", "src/old"])
    assert list(walk) == ["keep/old/d.py", "src/a.py"]
    assert walk.excluded == 3


@pytest.mark.parametrize("named", ["vendor/in/b.py", "vendor/in", "src/old/c.py"])
def test_a_file_below_a_folder_that_is_excluded(tree, named):
    """It is left out where it is named, too, as on the way from the root: hooks name files."""
    tree("vendor/in/b.py", "src/old/c.py")
    walk = Walk([named], ["vendor", "src/old", ".*"])
    assert list(walk) == []
    assert walk.excluded == 1
    assert not Walk([], ["vendor"]).wants("vendor/in/b.py")


def test_patterns_from_elsewhere(tree, tmp_path, monkeypatch):
    """They are relative to the project's folder, wherever the command runs."""
    tree("src/old/a.py", "src/b.py")
    monkeypatch.chdir(tmp_path / "src")
    assert list(Walk(["."], ["src/old"], root=str(tmp_path))) == ["b.py"]


TESTS = ["tests/a.py", "test/a.py", "src/tests/deep/a.py", "test_a.py", "a_test.py", "src/conftest.py"]


def test_tests(tree):
    """Files of tests are left out and counted; others that only sound so are not."""
    tree(*TESTS, "contest.py", "latest.py", "testing/a.py", "attest_a.py")
    walk = Walk(["."], tests=False)
    assert list(walk) == ["attest_a.py", "contest.py", "latest.py", "testing/a.py"]
    assert walk.tests_left_out == len(TESTS)
    assert set(TESTS) <= set(Walk(["."]))


def test_tests_by_name(tree, tmp_path):
    """One that is named is left out as well: hooks name files. A checkout below a folder called tests is no test."""
    tree("tests/checkout/a.py", "tests/checkout/test_b.py")
    root = tmp_path / "tests/checkout"
    walk = Walk([str(root / "a.py"), str(root / "test_b.py")], root=str(root), tests=False)
    assert list(walk) == [str(root / "a.py")]


def test_links(tree, tmp_path):
    """Links to files are followed, those to folders, to themselves, to nothing and to devices are not."""
    tree("a.py", "in/b.py")
    (tmp_path / "link.py").symlink_to("a.py")
    (tmp_path / "in/up").symlink_to("..")
    (tmp_path / "self.py").symlink_to("self.py")
    (tmp_path / "gone.py").symlink_to("nothing")
    (tmp_path / "zero.py").symlink_to("/dev/zero")
    assert list(Walk(["."])) == ["a.py", "in/b.py", "link.py"]


def test_depth(tree, tmp_path):
    """Folders below each other end at a bound; the first one behind it comes with the reason."""
    deep = "/".join(["d"] * (limits.LINT_DEPTH_MAX + 3))
    tree("a.py", f"{deep}/b.py")
    walk = Walk(["."])
    assert [(path.count("/"), walk.why) for path in walk] == [
        (0, ""),
        (limits.LINT_DEPTH_MAX, f"is more than {limits.LINT_DEPTH_MAX} folders deep, and is not looked at"),
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_is_locked(tree, tmp_path):
    """It comes with the reason."""
    tree("a.py", "locked/b.py")
    (tmp_path / "locked").chmod(0)
    walk = Walk(["."])
    assert [(path, walk.why) for path in walk] == [("a.py", ""), ("locked", "cannot be read: permission denied")]


def test_what_is_not_there(tree):
    """It is said before anything is looked at."""
    tree("a.py")
    with pytest.raises(
        errors.UsageError, match=r"'nothing.py' cannot be looked at: no such file or directory. Name a file"
    ):
        Walk(["a.py", "nothing.py"])
    with pytest.raises(errors.UsageError, match="'' cannot be looked at"):
        Walk([""])


TEXTS = {
    "UTF-8": ("é = 1\n".encode(), "é = 1\n"),
    "a mark in front": (b"\xef\xbb\xbfx = 1\n", "x = 1\n"),
    "Windows' line ends": (b"x = 1\r\ny = 2\r\n", "x = 1\ny = 2\n"),
    "old line ends": (b"x = 1\ry = 2\r", "x = 1\ny = 2\n"),
    "Latin-1 that says so": (b"# -*- coding: latin-1 -*-\nx = '\xe9'\n", "# -*- coding: latin-1 -*-\nx = 'é'\n"),
    "nothing": (b"", ""),
}


@pytest.mark.parametrize(("data", "text"), TEXTS.values(), ids=TEXTS)
def test_text(tmp_path, data, text):
    """It is read in the encoding that it says, with one kind of line ends."""
    (tmp_path / "a.py").write_bytes(data)
    assert files.read(str(tmp_path / "a.py")) == text


BAD = {
    "Latin-1 that does not say so": (b"x = '\xe9'\n", "is not text in its encoding"),
    "an encoding that nobody knows": (b"# coding: klingon\nx = 1\n", "unknown encoding"),
    "a coding line that is no text": (b"# coding: hex\n41\n", "is not text in its encoding"),
    "UTF-16": ("x = 1\n".encode("utf-16"), "is not text in its encoding"),
    "UTF-16 cut off": (b"\xff\xfex\x00=", "is not text in its encoding"),
    "two that disagree": (b"\xef\xbb\xbf# coding: latin-1\n", "the mark of UTF-8"),
    "too large": (b"#" * (limits.LINT_FILE_BYTES_MAX + 1), "has more than"),
}


@pytest.mark.parametrize(("data", "reason"), BAD.values(), ids=BAD)
def test_no_text(tmp_path, data, reason):
    """What cannot be read as text says why."""
    (tmp_path / "a.py").write_bytes(data)
    with pytest.raises(Unreadable, match=reason):
        files.read(str(tmp_path / "a.py"))


def test_no_files(tmp_path):
    """A pipe, a device and a folder are refused at once: nobody waits for a writer, and /dev/zero has an end."""
    os.mkfifo(tmp_path / "a.py")
    for path in (str(tmp_path / "a.py"), "/dev/zero", str(tmp_path)):
        with pytest.raises(Unreadable, match="is no regular file"):
            files.read(path)


def test_gone(tmp_path):
    """A file that went away meanwhile is told as such; so is a name that no file can have."""
    for path in (str(tmp_path / "gone.py"), "a\0b.py"):
        with pytest.raises(Unreadable, match="cannot be read"):
            files.read(path)
