"""Files are rewritten where behaviour cannot change, and are otherwise the same to the byte."""

from __future__ import annotations

import builtins
import codecs
import os

import pytest

from flatwater import errors, limits
from flatwater.lint.finding import Confidence
from flatwater.lint.fixing import Fixer
from flatwater.lint.linter import Linter
from flatwater.lint.settings import Settings

OLD = "import os\n\n\ndef f(path):\n    with open(path) as file:\n        total = sum([len(line) for line in file.readlines()])  # {}\n    return total, sorted(os.listdir('.'))[:3]\n"
NEW = "import os\nimport heapq\n\n\ndef f(path):\n    with open(path) as file:\n        total = sum(len(line) for line in file)  # {}\n    return total, heapq.nsmallest(3, os.listdir('.'))\n"


@pytest.fixture
def fix(tmp_path):
    """A function: what becomes of a file with these bytes."""

    def of(data, name="a.py", **wanted):
        (tmp_path / name).write_bytes(data)
        wanted.setdefault("confidence", Confidence.MAYBE)
        return Fixer(Linter(Settings(**wanted))).file(str(tmp_path / name))

    return of


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("mark", "encoding", "comment"),
    [
        (b"", "utf-8", "é 漢 🙂"),
        (codecs.BOM_UTF8, "utf-8", "é"),
        (b"# -*- coding: latin-1 -*-\n", "latin-1", "é"),
        (b"# coding: cp1251\n", "cp1251", "Ж"),
    ],
)
def test_all_else_stays(fix, mark, encoding, comment, end):
    """Encodings, marks of byte order, line ends, comments; and fixes within fixes are made one after another."""
    mark = mark.replace(b"\n", end.encode())
    made = fix(mark + OLD.format(comment).replace("\n", end).encode(encoding))
    assert made.why == ""
    assert made.after == mark + NEW.format(comment).replace("\n", end).encode(encoding)
    assert sorted(each.code for each in made.fixed) == ["FW102", "FW203", "FW205"]
    assert [each for each in made.left if each.code in {"FW102", "FW203", "FW205"}] == []


def test_single_carriage_returns_end_lines(fix):
    """Python takes them for that, and the import has one, too."""
    assert fix(OLD.format("").replace("\n", "\r").encode()).after == NEW.format("").replace("\n", "\r").encode()


def test_again_there_is_nothing_to_do(fix):
    """What was fixed is not fixed again."""
    made = fix(fix(OLD.format("").encode()).after)
    assert not made.is_changed
    assert made.fixed == []


@pytest.mark.parametrize(
    "tail", ["", "\n\n\n", "\\\n  \n", "\x0c\nx = 1", "if 1:\n\tx = (1,\n  2)  \n", "x = 'a\\\nb'"]
)
def test_forms_that_nobody_writes_stay(fix, tail):
    """The bytes behind the last fix are as they were."""
    old, new = OLD.format("") + tail, NEW.format("") + tail
    assert fix(old.encode()).after == new.encode()


@pytest.mark.filterwarnings("error")
def test_what_python_warns_of_is_not_said(fix):
    """A file that runs with a warning is fixed without one."""
    old = OLD.format("").replace("[len(line) for", "[1for")
    assert fix(old.encode()).after == NEW.format("").replace("len(line) for", "1for").encode()


@pytest.mark.parametrize("comment", ["noqa: FW205,FW102", "flatwater: allow FW205,FW102 — few"])
def test_what_is_allowed_stays(fix, comment):
    """A comment that allows a finding keeps its line."""
    made = fix(OLD.format(comment).encode())
    assert b"sum([len(line) for line in file.readlines()])" in made.after


def test_only_what_is_told_is_fixed(fix):
    """Rules that were not chosen, and findings that are not sure enough, are left."""
    data = OLD.format("").encode()
    assert [each.code for each in fix(data, select=("FW203",)).fixed] == ["FW203"]
    assert not fix(data, select=("FW205",), confidence=Confidence.SURE, ignore=("FW2",)).is_changed


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"def f(:\n", "FW000"), (b"\xff\xfe", "FW000"), (b"x = 1\n", ""), (b"", ""), (b"# coding: nothing\n", "FW000")],
)
def test_what_cannot_be_read_is_left(fix, data, code):
    """With a finding that says so, and without a change."""
    made = fix(data + (b"" if not code else b"sorted(x)[:3]; sum([1])"))
    assert not made.is_changed
    assert {each.code for each in made.left} == ({code} if code else set())


def test_a_notebook_is_left(fix):
    """It says why."""
    cell = '{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": null, "source": %s}'
    import json

    text = '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [' + cell % json.dumps(OLD.format("")) + "]}"
    made = fix(text.encode(), "a.ipynb")
    assert not made.is_changed
    assert "notebook" in made.why or not made.left


def test_large_files_are_fixed_and_large_expressions_are_left(fix):
    """What is held beside the file is the tree of one expression, which has a bound."""
    made = fix(OLD.format("").encode() + b"x = 1\n" * 50_000)
    assert made.after == NEW.format("").encode() + b"x = 1\n" * 50_000
    long = "import os\nx = sorted(os.listdir('.'), key=lambda n: (" + "len(n)," * limits.LINT_FIX_CHARS_MAX + "))[:3]\n"
    assert not fix(long.encode()).is_changed


@pytest.mark.parametrize("deep", ["x = " + "(" * 90 + "1" + ")" * 90, "x = " + "-" * 95 + "1", "x = 1" + " + 1" * 900, "x = a" + ".b" * 900,
                                  "x = " + "[" * 85 + "]" * 85])  # fmt: skip
def test_deep_files_are_fixed(fix, deep):
    """What stands elsewhere is not gone through."""
    assert fix(f"{OLD.format('')}{deep}\n".encode()).after == f"{NEW.format('')}{deep}\n".encode()


def test_an_expression_that_libcst_cannot_read_is_left(fix, monkeypatch):
    """With the reason, and the findings as they were."""
    import libcst

    def refuse(text):
        raise libcst.CSTValidationError("no")

    monkeypatch.setattr(libcst, "parse_expression", refuse)
    made = fix(OLD.format("").encode())
    assert not made.is_changed
    assert made.why == "cannot be rewritten: no"
    assert len(made.left) == 3


def test_a_diff_can_be_applied(fix, tmp_path):
    """`patch` makes the new file of the old one."""
    import subprocess

    made = fix(OLD.format("é").encode().rstrip(b"\n"))
    diff = b"".join(made.diff())
    assert b"\\ No newline at end of file\n" in diff
    target = tmp_path / "b.py"
    target.write_bytes(made.before)
    subprocess.run(["patch", "--quiet", str(target)], input=diff, check=True, timeout=60)
    assert target.read_bytes() == made.after


def test_it_is_written_and_a_file_is_counted_once(tmp_path):
    """The linter's figures are those of files, not of rounds."""
    path = tmp_path / "a.py"
    path.write_bytes(OLD.format("").encode())
    linter = Linter(Settings(confidence=Confidence.MAYBE))
    fixer = Fixer(linter)
    made = fixer.file(str(path))
    assert path.read_bytes() == made.before
    fixer.write(made, [str(tmp_path)])
    assert path.read_bytes() == made.after
    assert linter.files == 1
    assert os.listdir(tmp_path) == ["a.py"]


def test_without_libcst_it_says_what_to_install(monkeypatch):
    """The extra is named."""
    real = builtins.__import__

    def missing(name, *rest):
        if name.startswith("libcst"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(errors.MissingExtra, match=r"flatwater\[lint\]"):
        Fixer(Linter())
