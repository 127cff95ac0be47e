"""`flatwater lint --fix` and `--diff`, as they are typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

OLD = (
    "import os\n\n\ndef f(path):\n    rows = sorted(os.listdir(path))[:3]\n    return rows, open(path).read().split()\n"
)
NEW = OLD.replace("import os\n", "import os\nimport heapq\n").replace(
    "sorted(os.listdir(path))[:3]", "heapq.nsmallest(3, os.listdir(path))"
)


@pytest.fixture
def lint(tmp_path):
    """A function: the exit code, stdout and stderr of the command, in a folder with two files."""
    (tmp_path / "a.py").write_text(OLD)
    (tmp_path / "b.py").write_text("x = 1\n")

    def run(*arguments, confidence="maybe", text=True):
        done = subprocess.run(
            [sys.executable, "-m", "flatwater", "lint", "--config", "", "--confidence", confidence, "--no-cache", *arguments],
            cwd=tmp_path, capture_output=True, text=text, timeout=100, check=False, env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    return run


def test_it_fixes_and_tells_what_is_left(lint, tmp_path):
    """What was done is on stderr, what is left on stdout, and the exit code is of what is left."""
    code, out, err = lint("--fix", ".")
    assert (tmp_path / "a.py").read_text() == NEW
    assert "FW203" not in out
    assert "FW102" in out
    assert "fixed a.py: 1 of FW203\nfixed 1 finding in 1 file; 1 is left, which needs a decision.\n" in err
    assert code == 1
    assert sorted(os.listdir(tmp_path)) == ["a.py", "b.py"]


def test_the_second_time_there_is_nothing_to_do(lint, tmp_path):
    """And nothing is written; with nothing left, the exit code is 0."""
    lint("--fix", ".")
    before = os.stat(tmp_path / "a.py")
    code, _out, err = lint("--fix", "--select", "FW203", ".")
    assert code == 0
    assert "nothing was fixed; nothing is left." in err
    after = os.stat(tmp_path / "a.py")
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_diff_changes_nothing(lint, tmp_path):
    """It is what `patch` takes; 1 says that there would be changes, 0 that there would be none."""
    code, out, err = lint("--diff", ".")
    assert code == 1
    assert (tmp_path / "a.py").read_text() == OLD
    assert "1 finding in 1 file would be fixed" in err
    subprocess.run(["patch", "--quiet", "-p1"], input=out, text=True, cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "a.py").read_text() == NEW
    assert lint("--diff", ".")[:2] == (0, "")


def test_a_diff_of_odd_names(lint, tmp_path):
    """A name with spaces, a link beside its target and lines that end with CR alone: `patch` takes it all."""
    old = (tmp_path / "a.py").read_bytes()
    (tmp_path / "b c.py").write_bytes(old)
    (tmp_path / "0.py").symlink_to("a.py")
    (tmp_path / "z.py").symlink_to("b c.py")
    (tmp_path / "cr.py").write_bytes(old.replace(b"\n", b"\r"))
    code, out, err = lint("--diff", ".", text=False)
    assert code == 1
    assert b"3 files" in err
    subprocess.run(["patch", "--quiet", "-p1", "--binary"], input=out, cwd=tmp_path, check=True, timeout=60)
    assert lint("--diff", ".", text=False)[0] == 0
    assert (tmp_path / "cr.py").read_bytes().count(b"\n") == 0


def test_forms_for_programs_are_whole(lint):
    """JSON on stdout is of what is left, with nothing else beside it."""
    code, out, _err = lint("--fix", "--output-format", "json", ".")
    assert code == 1
    assert [each["code"] for each in json.loads(out)["findings"]] == ["FW102"]


def test_a_file_that_cannot_be_written_is_said(lint, tmp_path):
    """The others are fixed, its findings are told, and the exit code is 4."""
    os.chmod(tmp_path / "a.py", 0o444)
    (tmp_path / "c.py").write_text(OLD)
    code, out, err = lint("--fix", ".")
    assert code == 4
    assert "'a.py' may not be written" in err
    assert "1 file could not be written, and is as before" in err
    assert "a.py:5" in out
    assert (tmp_path / "a.py").read_text() == OLD
    assert (tmp_path / "c.py").read_text() == NEW


def test_a_diff_is_of_what_would_be_written(lint, tmp_path):
    """A file that --fix would leave is named, and not shown."""
    os.chmod(tmp_path / "a.py", 0o444)
    code, out, err = lint("--diff", ".")
    assert (code, out) == (0, "")
    assert "'a.py' may not be written" in err


def test_a_path_that_is_not_there_is_all_that_is_said(lint):
    """Nothing was done, and nothing is said of it."""
    code, _out, err = lint("--fix", "nothing")
    assert code == 2
    assert "fixed" not in err


def test_what_the_baseline_knows_is_left(lint, tmp_path):
    """Somebody decided that it may stay; it is counted once."""
    lint("--write-baseline", "--baseline", "known.json", ".")
    code, _out, err = lint("--fix", "--baseline", "known.json", ".")
    assert code == 0
    assert (tmp_path / "a.py").read_text() == OLD
    assert "nothing was fixed" in err


def test_a_notebook_is_named(lint, tmp_path):
    """It is not fixed, and that is said."""
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": OLD}
    text = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]})
    (tmp_path / "n.ipynb").write_text(text)
    _code, out, err = lint("--fix", "n.ipynb")
    assert "n.ipynb: is a notebook; its cells are not rewritten." in err
    assert "FW203" in out
    assert (tmp_path / "n.ipynb").read_text() == text


@pytest.mark.parametrize(
    "arguments",
    [
        ["--fix", "--diff"],
        ["--diff", "--json", "x"],
        ["--fix", "--write-baseline"],
        ["--fix", "-"],
        ["--diff", "--statistics"],
    ],
)
def test_what_does_not_go_together_is_refused(lint, tmp_path, arguments):
    """Nothing is changed."""
    code, _out, err = lint(*arguments)
    assert code == 2
    assert "Leave one of them out." in err
    assert (tmp_path / "a.py").read_text() == OLD
