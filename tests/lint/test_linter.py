"""Files of every kind, looked at."""

from __future__ import annotations

import os
import random
import socket

import pytest

from flatwater import limits
from flatwater.lint.finding import Confidence
from flatwater.lint.linter import Linter, lint, lint_text
from flatwater.lint.rules import RULES
from flatwater.lint.settings import Settings

ROWS = "import sqlite3\nfor row in sqlite3.connect('a').execute('SELECT * FROM t').fetchall(): print(row)\n"


def codes(found):
    return [(each.line, each.code) for each in found]


def test_where():
    """A finding has the place of its expression, in characters, and the line as it is written."""
    (found,) = lint_text(
        "import sqlite3\nif 1:\n    é = [r for r in sqlite3.connect('é').execute('SELECT * FROM t').fetchall()]\n"
    )
    line = "    é = [r for r in sqlite3.connect('é').execute('SELECT * FROM t').fetchall()]"
    assert (found.line, found.source) == (3, line)
    assert line[found.column - 1 : found.end_column - 1] == "sqlite3.connect('é').execute('SELECT * FROM t').fetchall()"


def test_lines_that_only_look_like_ends():
    """A form feed and a line separator end no line of Python."""
    (found,) = lint_text(f"x = 'a\u2028b'\n\f\ny = 1\n{ROWS}")
    assert found.line == 5
    assert found.source.startswith("for row in")


def test_the_same_twice():
    """Findings that only their lines tell apart are numbered, and have different fingerprints, whatever is told."""
    loop = ROWS.splitlines()[1]
    found = lint_text(f"import sqlite3\n{loop}\n{loop}\n")
    assert [each.nth for each in found] == [0, 1]
    assert len({each.fingerprint for each in found}) == 2


def test_settings(tmp_path):
    """Codes, certainty and files choose among what was found."""
    (tmp_path / "a.py").write_text(ROWS + "def f(x=[]):\n    x.append(1)\n    return x\n")
    path = str(tmp_path / "a.py")
    assert codes(lint([path])) == [(2, "FW101"), (3, "FW305")]
    assert codes(lint([path], Settings(select=("FW1",)))) == [(2, "FW101")]
    ignores = (("a.*", ("FW1",)),)
    assert codes(lint([path], Settings(root=str(tmp_path), per_file_ignores=ignores))) == [(3, "FW305")]
    assert codes(lint([path], Settings(confidence=Confidence.SURE, ignore=("FW3",)))) == [(2, "FW101")]


def test_too_many(monkeypatch):
    """The surest are told, in order, and that there are more."""
    monkeypatch.setattr(limits, "LINT_FINDINGS_MAX", 5)
    found = lint_text("".join(f"def f{n}(x=[]):\n    x.append(1)\n    return x\n" for n in range(4)) + ROWS * 4)
    assert len(found) == 6
    assert codes(found)[-1] == (1, "FW000")
    assert "has 8 findings; the surest 5" in found[-1].message
    assert codes(found)[:-1] == sorted(codes(found)[:-1])


def test_counts(tmp_path):
    """How many files were looked at, and how many tests were not."""
    for name in ("a.py", "b.py", "test_c.py"):
        (tmp_path / name).write_text("x = 1\n")
    linter = Linter(Settings(root=str(tmp_path), include_tests=True))
    assert list(linter.look([str(tmp_path)])) == []
    assert (linter.files, linter.tests_left_out) == (3, 0)
    linter = Linter(Settings(root=str(tmp_path)))
    list(linter.look([str(tmp_path)]))
    assert (linter.files, linter.tests_left_out) == (2, 1)


# --- whatever a file holds -------------------------------------------------------------------------------------------

DEEP = 5_000
TEXTS = {
    "nothing": b"",
    "only ends of lines": b"\n" * 100_000,
    "null bytes": b"x = 1\0\n",
    "only null bytes": bytes(10_000),
    "no text": bytes(range(256)) * 100,
    "Latin-1": b"x = '\xe9'\n",
    "Latin-1 that says so": b"# coding: latin-1\nx = '\xe9'\n",
    "a mark in front": b"\xef\xbb\xbf" + ROWS.encode(),
    "UTF-16": ROWS.encode("utf-16"),
    "UTF-16 cut off": ROWS.encode("utf-16")[:-1],
    "surrogates in UTF-8": b"x = '\xed\xa0\x80'\n",
    "Windows' line ends": ROWS.replace("\n", "\r\n").encode(),
    "form feeds": b"\f\f" + ROWS.encode() + b"\f",
    "Python 2": b"print 'a'\nexec 'b'\nraise E, 'c'\nprint >>f, `x`\n",
    "a template": b"{% if x %}\nimport {{ name }}\n{% endif %}\n",
    "cut off": b"def f(a,\n",
    "a text without its end": b'x = """' + b"a" * 1000,
    "mixed tabs and blanks": b"if 1:\n\tx = 1\n        y = 2\n",
    "50,000 lines": b"x = f(a, b)[0].c\n" * 50_000,
    "50,000 findings": b"import sqlite3\nc = sqlite3.connect('a')\n" + b"for r in c.execute('SELECT * FROM t').fetchall(): print(r)\n" * 5_000,
    "one long line": b"x = [" + b"1, " * 300_000 + b"]\n",
    "one long text": b"x = '" + b"a" * 3_000_000 + b"'\n",
    "brackets": b"x = " + b"(" * DEEP + b")" * DEEP + b"\n",
    "lists in lists": b"x = " + b"[" * 90 + b"]" * 90 + b"\n",
    "minus signs": b"x = " + b"-" * DEEP + b"1\n",
    "not": b"x = " + b"not " * DEEP + b"1\n",
    "a long sum": b"x = " + b" + ".join([b"a"] * DEEP) + b"\n",
    "a long chain": b"import sqlite3\nx = sqlite3.connect('a')" + b".filter(1)" * DEEP + b".fetchall()\n",
    "a long chain of attributes": b"x = a" + b".b" * DEEP + b"\n",
    "a long chain of indexes": b"x = a" + b"[0]" * DEEP + b"\n",
    "calls in calls": b"x = " + b"f(" * 90 + b"1" + b")" * 90 + b"\n",
    "lambdas": b"x = " + b"lambda: " * 500 + b"1\n",
    "conditions": b"x = " + b"1 if a else " * DEEP + b"2\n",
    "deep blocks": b"".join(b" " * n + b"if x:\n" for n in range(95)) + b" " * 95 + b"pass\n",
    "elif": b"if x: pass\n" + b"elif y: pass\n" * DEEP,
    "f-strings": b"x = f'{f\"{f\\'{1}\\'}\"}'\ny = f'" + b"{a}" * 20_000 + b"'\n",
    "f-strings in f-strings": b"x = " + b"f'{" * 200 + b"1" + b"}'" * 200 + b"\n",
    "decorators": b"@a\n" * DEEP + b"def f(): pass\n",
    "functions in functions": b"".join(b" " * n + b"def f(x=[]):\n" for n in range(95)) + b" " * 95 + b"return x\n",
    "comprehensions": b"x = [" + b"[" * 50 + b"a" + b" for a in b]" * 50 + b" for c in d]\n",
    "names that lead to each other": b"".join(b"a%d = a%d\n" % (n, n + 1) for n in range(3_000)) + b"for r in a0.fetchall(): print(r)\n",
    "a name bound very often": b"import sqlite3\nx = sqlite3.connect('a')\n" + b"x = x.execute('SELECT 1')\n" * 3_000 + b"x.fetchall()\n",
    "functions that call each other": b"".join(b"def f%d(): return f%d()\n" % (n, (n + 1) % 500) for n in range(500)) + b"for r in f0(): print(r)\n",
    "classes that are their own base": b"class A(B): pass\nclass B(A): pass\nfor x in A.objects.all(): print(x)\n",
    "many arguments": b"f(" + b"a=1, " * 3_000 + b")\n",
    "a large dict": b"x = {" + b"".join(b"'k%d': [1, 2, {'a': None}],\n" % n for n in range(20_000)) + b"}\n",
    "a star import": b"from a import *\nfor r in cursor.execute('SELECT 1').fetchall(): print(r)\n",
    "names of other scripts": "变量 = 1\nᴀ = 变量\n".encode(),
    "odd blanks": "x = 1\u00a0+ 2\n".encode(),
    "text that runs backwards": "x = '\u202e' # \u2066noqa\n".encode(),
    "a comment of codes": b"x = 1  # noqa: " + b"FW101, " * 20_000 + b"\n",
}  # fmt: skip


@pytest.mark.parametrize("data", TEXTS.values(), ids=TEXTS)
def test_a_report_and_never_a_crash(data):
    """Whatever a file holds, there are findings, or one that says why it cannot be looked at."""
    found = Linter(Settings(confidence=Confidence.MAYBE)).data(data, "a.py")
    assert len(found) <= limits.LINT_FINDINGS_MAX + len(RULES) + 1
    assert all(each.path == "a.py" and each.line >= 1 and each.column >= 1 for each in found)


def test_10_mb_on_disk(tmp_path):
    """A file that is too large is told as such."""
    (tmp_path / "a.py").write_bytes(b"x = 1\n" * 1_800_000)
    (found,) = lint([str(tmp_path)])
    assert (found.code, "has more than 4194304 bytes" in found.message) == ("FW000", True)


@pytest.mark.parametrize("seed", range(40))
def test_pieces_of_python(seed):
    """Texts that are cut, doubled and stirred are looked at like any other."""
    chance = random.Random(seed)
    with open(__file__, encoding="utf-8") as file:
        text = file.read()
    for _ in range(chance.randrange(1, 6)):
        first, last = sorted(chance.randrange(len(text)) for _ in range(2))
        text = chance.choice(
            [
                text[:first] + text[last:],
                text[first:last] * 2,
                text[:last] + chance.choice("()[]'\"\n\0:\t") + text[last:],
            ]
        )
    found = Linter(Settings(confidence=Confidence.MAYBE)).data(text.encode(), "a.py")
    assert all(each.code.startswith("FW") for each in found)


def test_many_words():
    """A tree that would take too much memory is not made."""
    (found,) = Linter().data(b"a;" * 1_000_000, "a.py")
    assert "has 2000000 words and signs, more than 750000" in found.message
    assert Linter().data(b"# " + b"-" * 1_000_000, "a.py") == []


def test_a_name_that_leads_to_itself():
    """It is followed for a few steps, and the file is looked at by all rules."""
    found = lint_text(
        "def f(path):\n    with open(path, 'rb') as file:\n        x = file.read()\n    x = x.decode()\n    x = x.strip()\n    return x\n"
    )
    assert [each.message for each in found if each.code == "FW000"] == []


# --- whatever a folder holds -----------------------------------------------------------------------------------------


def test_a_folder_of_traps(tmp_path):
    """Pipes, sockets, devices, loops of links and odd names are passed by or told; the files beside them are looked at."""
    os.mkfifo(tmp_path / "pipe.py")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.py"))
        (tmp_path / "zero.py").symlink_to("/dev/zero")
        (tmp_path / "loop.py").symlink_to("loop.py")
        (tmp_path / "up").symlink_to(tmp_path)
        (tmp_path / "folder.py").mkdir()
        for name in ("a\nb.py", os.fsdecode(b"a\xff.py"), "a b.py", "-a.py", "a:1:2.py", "%0A.py"):
            (tmp_path / name).write_text(ROWS)
        found = list(lint([str(tmp_path)]))
    assert [each.code for each in found] == ["FW101"] * 6


def test_a_pipe_by_name(tmp_path):
    """One that is named is told, and nobody waits for its writer."""
    os.mkfifo(tmp_path / "pipe.py")
    (found,) = lint([str(tmp_path / "pipe.py")])
    assert (found.code, found.message) == ("FW000", "The file is no regular file, and is not looked at.")


def test_a_file_that_vanishes(tmp_path):
    """One that went away after its folder was read is told, and the next is looked at."""
    for name in ("a.py", "b.py", "c.py"):
        (tmp_path / name).write_text(ROWS)
    found = lint([str(tmp_path)])
    first = next(found)
    (tmp_path / "b.py").unlink()
    rest = [each.code for each in found]
    assert (first.code, rest) == ("FW101", ["FW000", "FW101"])


def test_a_folder_that_cannot_be_read(tmp_path, monkeypatch):
    """It is told, and what lies beside it is looked at."""
    (tmp_path / "locked").mkdir()
    (tmp_path / "z.py").write_text(ROWS)
    scandir = os.scandir

    def refuse(folder):
        if str(folder).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    linter = Linter()
    first, second = linter.look([str(tmp_path)])
    assert (first.code, first.message) == ("FW000", "The folder cannot be read: permission denied.")
    assert (second.code, linter.files) == ("FW101", 1)


def test_folders_that_are_too_deep(tmp_path, monkeypatch):
    """They are told, and what is above them is looked at."""
    monkeypatch.setattr(limits, "LINT_DEPTH_MAX", 2)
    deep = tmp_path / "a" / "b" / "c" / "d"
    deep.mkdir(parents=True)
    (deep / "x.py").write_text(ROWS)
    (tmp_path / "a" / "b" / "y.py").write_text(ROWS)
    found = list(lint([str(tmp_path)]))
    assert [each.code for each in found] == ["FW000", "FW101"]
    assert "is more than 2 folders deep" in found[0].message


def test_what_is_allowed_does_not_count(monkeypatch):
    """Findings that a comment allows, and doubts, leave room for those that are told."""
    monkeypatch.setattr(limits, "LINT_FINDINGS_MAX", 5)
    allowed = ROWS.rstrip().splitlines()[-1] + "  # noqa: FW101\n"
    head = "\n".join(ROWS.rstrip().splitlines()[:-1]) + "\n"
    found = lint_text(head + allowed * 9 + ROWS.rstrip().splitlines()[-1])
    assert [each.code for each in found] == ["FW101"]


def test_too_many_to_count(monkeypatch):
    """Where not all could be found, that is said."""
    monkeypatch.setattr(limits, "LINT_FOUND_MAX", 3)
    found = lint_text(ROWS + ROWS.rstrip().splitlines()[-1] + "\n" + ROWS * 9)
    assert found[-1].message.startswith("The file has more than 3 findings")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_is_locked(tmp_path):
    """It is told."""
    (tmp_path / "a.py").write_text(ROWS)
    (tmp_path / "a.py").chmod(0)
    (found,) = lint([str(tmp_path)])
    assert "cannot be read: permission denied" in found.message


MIGRATIONS = {
    "Alembic": "from alembic import op\nfrom sqlalchemy.orm import Session\ndef upgrade():\n    session = Session(bind=op.get_bind())\n    for order in session.query(Order).all(): print(order)\n",
    "Django": "from django.db import migrations\nfrom shop.models import Order\ndef fill(apps, schema_editor):\n    for order in list(Order.objects.all()): print(order)\nclass Migration(migrations.Migration):\n    operations = [migrations.RunPython(fill)]\n",
}


@pytest.mark.parametrize("text", MIGRATIONS.values(), ids=MIGRATIONS)
def test_a_migration_is_a_doubt(text):
    """Whoever runs it looks at it, once: what it reads of tables is told where doubts are asked for."""
    assert lint_text(text) == []
    assert {each.code for each in lint_text(text, confidence=Confidence.MAYBE)} == {"FW101"}
    assert {
        each.code
        for each in lint_text(text.replace("def upgrade", "def show").replace("class Migration", "class Show"))
    } == {"FW101"}
