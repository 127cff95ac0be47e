"""`flatwater lint` on a command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flatwater import limits

ROWS = "import sqlite3\nfor row in sqlite3.connect('a').execute('SELECT * FROM t').fetchall(): print(row)\n"
DEFAULT = "def f(x=[]):\n    x.append(1)\n    return x\n"


@pytest.fixture
def lint(tmp_path, monkeypatch):
    """A function that runs the command in an empty project: its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()

    def run(*words, stdin=b"", **environ):
        command = [sys.executable, "-m", "flatwater", "lint", *map(str, words)]
        done = subprocess.run(
            command, input=stdin, capture_output=True, timeout=60, check=False, env={**os.environ, **environ}
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return run


def test_nothing_found(lint, tmp_path):
    """The code is 0, and one line says in how much nothing was found."""
    (tmp_path / "a.py").write_text("x = 1\n")
    assert lint(".") == (0, "nothing found in 1 file.\n", "")


def test_something_found(lint, tmp_path):
    """The code is 1; the line is shown with a caret below the expression."""
    (tmp_path / "a.py").write_text(ROWS)
    code, out, _ = lint()
    assert code == 1
    lines = out.splitlines()
    assert lines[0].startswith("a.py:2:12: FW101 ")
    assert lines[0].endswith("[sure]")
    caret = lines[2].index("^")
    assert lines[1][caret : caret + lines[2].count("^")] == "sqlite3.connect('a').execute('SELECT * FROM t').fetchall()"
    assert lines[-1] == "1 finding in 1 of 1 file."


WRONG = {
    "a path that is not there": (["nothing"], "cannot be looked at"),
    "a rule that is none": (["--select", "E501"], "no rule is called 'E501'"),
    "a rule to explain that is none": (["--explain", "FW9"], "no rule is called"),
    "a form that is none": (["--output-format", "xml"], "xml"),
    "a name for stdin that is not read": (["--stdin-filename", "a.py", "."], "which is not read"),
    "rules that are none": (["--select", ","], "names no rule"),
    "a baseline and a report": (["--write-baseline", "--json", "j.json", "."], "--write-baseline tells no findings"),
    "stdin and more": (["-", "a.py"], "stands alone"),
    "statistics as JSON": (["--statistics", "--output-format", "json"], "--statistics is a text"),
    "a report in no folder": (["--json", "no/such.json"], "cannot be written"),
    "two reports in one file": (["--json", "x", "--sarif", "x"], "both name"),
    "a baseline that is not there": (["--baseline", "known.json"], "Write it with --write-baseline"),
    "a run that is not there": (["--with", "run.json"], "cannot be read"),
    "settings that are not there": (["--config", "x.toml"], "is no file"),
}


@pytest.mark.parametrize(("words", "said"), WRONG.values(), ids=WRONG)
def test_wrong_use(lint, tmp_path, words, said):
    """The code is 2, and a sentence says what is wrong."""
    (tmp_path / "a.py").write_text(ROWS)
    code, out, err = lint(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_settings_of_the_project(lint, tmp_path):
    """The nearest pyproject.toml says what is told; options take its place or add to it."""
    (tmp_path / "a.py").write_text(ROWS + DEFAULT)
    (tmp_path / "pyproject.toml").write_text('[tool.flatwater.lint]\nselect = ["FW3"]\nexclude = ["vendor"]\n')
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor/b.py").write_text(ROWS)

    def told(*words):
        return sorted(each["code"] for each in json.loads(lint(*words, "--output-format", "json")[1])["findings"])

    assert told() == ["FW305"]
    assert told("--select", "FW1") == ["FW101"]
    assert told("--ignore", "FW305") == []
    assert told("--config", "") == ["FW101", "FW101", "FW305"]
    assert told("--config", "", "--exclude", "a.py") == ["FW101"]


def test_certainty(lint, tmp_path):
    """What is less sure than asked for is not told."""
    (tmp_path / "a.py").write_text(
        "def f(k):\n    k.execute('SELECT * FROM t')\n    for row in k.fetchall(): print(row)\n"
    )
    assert [lint("--confidence", each)[0] for each in ("sure", "likely", "maybe")] == [0, 1, 1]


def test_tests(lint, tmp_path):
    """They are left out, and that is said."""
    (tmp_path / "test_a.py").write_text(ROWS)
    assert lint() == (0, "nothing found in 0 files; 1 test left out (--include-tests).\n", "")
    assert lint("--include-tests")[0] == 1


def test_stdin(lint):
    """A text by a pipe is looked at under the name that it is given."""
    code, out, _ = lint("-", "--stdin-filename", "x/y.py", stdin=ROWS.encode())
    assert code == 1
    assert out.startswith("x/y.py:2:12: FW101")
    assert lint("-", stdin=b"x = 1\n")[0] == 0
    assert lint("-", stdin=b"\xff")[0] == 1
    code, _, err = lint("-", stdin=b" " * (limits.LINT_FILE_BYTES_MAX + 1))
    assert (code, "stdin has more than" in err) == (2, True)


def test_reports(lint, tmp_path):
    """All forms can be had in one run; each file is whole, and has no colours."""
    (tmp_path / "a.py").write_text(ROWS)
    code, out, _ = lint("--output-format", "github", "--json", "f.json", "--sarif", "f.sarif", "--output-file", "f.txt")
    assert (code, out) == (1, "")
    assert json.loads((tmp_path / "f.json").read_text())["findings"][0]["code"] == "FW101"
    assert json.loads((tmp_path / "f.sarif").read_text())["runs"][0]["results"][0]["ruleId"] == "FW101"
    assert (tmp_path / "f.txt").read_text().startswith("::error file=a.py,line=2,")


def test_a_report_that_cannot_be_finished(lint, tmp_path):
    """A full disk is told with code 4."""
    (tmp_path / "a.py").write_text(ROWS)
    code, _, err = lint("--output-file", "/dev/full")
    assert (code, "could not be written" in err) == (4, True)


def test_statistics(lint, tmp_path):
    """How often each rule found something, the most frequent first."""
    (tmp_path / "a.py").write_text(DEFAULT + ROWS * 2)
    code, out, _ = lint("--statistics")
    assert code == 1
    assert [line.split()[:2] for line in out.splitlines()[:2]] == [["2", "FW101"], ["1", "FW305"]]


def test_a_baseline(lint, tmp_path):
    """What was there when it was written is not told; what is new is, and what is gone."""
    (tmp_path / "a.py").write_text(ROWS)
    assert lint("--write-baseline")[0] == 0
    known = ["--baseline", "flatwater-baseline.json"]
    assert lint(*known) == (0, "nothing found in 1 file; 1 known to the baseline.\n", "")
    (tmp_path / "a.py").write_text("\n\n" + ROWS + ROWS.splitlines()[1] + "\n")
    code, out, _ = lint(*known)
    assert code == 1
    assert "a.py:5:12: FW101" in out
    assert "a.py:4:" not in out
    (tmp_path / "a.py").write_text("")
    code, out, _ = lint(*known)
    assert code == 0
    assert out.splitlines()[:2] == [
        "1 entry of the baseline is stale; --write-baseline drops it:",
        "  a.py: FW101, once in line 2",
    ]
    assert "1 dropped" in lint(*known, "--write-baseline")[2]
    assert lint(*known) == (0, "nothing found in 1 file.\n", "")


def test_a_baseline_of_a_part(lint, tmp_path):
    """Writing it for one folder keeps what it knows of others."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "c.py").write_text(ROWS)
    lint("--write-baseline", "a")
    lint("--write-baseline", "b")
    assert lint("--baseline", "flatwater-baseline.json")[0] == 0


def test_a_baseline_that_cannot_be_written(lint, tmp_path):
    """It is said before anything is looked at."""
    code, _out, err = lint("--write-baseline", "--baseline", "no/such/folder.json")
    assert code == 2
    assert "--write-baseline: 'no/such/folder.json' cannot be written" in err


@pytest.mark.parametrize("name", ["--baseline", "--with"])
def test_a_report_in_the_place_of_what_is_read(lint, tmp_path, name):
    """It is refused, and what was there stays."""
    (tmp_path / "known.json").write_text('{"version": 1, "findings": []}')
    code, _out, err = lint(name, "known.json", "--json", tmp_path / "known.json")
    assert code == 2
    assert f"which {name} reads" in err
    assert (tmp_path / "known.json").read_text() == '{"version": 1, "findings": []}'


def test_the_heaviest_first(lint, tmp_path):
    """With a run, findings come in order of what their lines allocated, and hot lines without a finding are named."""
    (tmp_path / "a.py").write_text(DEFAULT + ROWS)
    job = str(tmp_path / "a.py")
    profile = {
        "shared": {"frames": [{"name": "f:5", "file": job, "line": 5}, {"name": "g:3", "file": job, "line": 3}]},
        "profiles": [{"type": "sampled", "unit": "bytes", "samples": [[0], [1]], "weights": [3 << 20, 1 << 20]}],
    }
    (tmp_path / "p.json").write_text(json.dumps(profile))
    _, out, _ = lint("--with", "p.json")
    lines = [line for line in out.splitlines() if ": FW" in line]
    assert [line.split(":")[0].split() for line in lines] == [["3.0", "MiB", "a.py"], ["nothing", "a.py"]]
    assert "1.0 MiB  a.py:3 g" in out
    found = json.loads(lint("--with", "p.json", "--output-format", "json")[1])
    assert [each["allocated_bytes"] for each in found["findings"]] == [3 << 20, 0]
    assert found["hot_lines"][0]["line"] == 3


def test_the_cache(lint, tmp_path):
    """It is in the project's folder, or where it is wanted, or nowhere; it changes nothing of what is told."""
    (tmp_path / "a.py").write_text(ROWS)
    first = lint("--no-cache")
    assert not (tmp_path / ".flatwater_cache").exists()
    assert [lint(), lint()] == [first, first]
    assert (tmp_path / ".flatwater_cache/lint.sqlite").exists()
    assert lint("--cache-dir", "elsewhere") == first
    assert (tmp_path / "elsewhere/lint.sqlite").exists()


def test_odd_names(lint, tmp_path):
    """Names that a terminal would obey, or that are no text, are told in a form that it does not."""
    (tmp_path / "a\x1b[31m\n.py").write_text(ROWS)
    (tmp_path / os.fsdecode(b"b\xff.py")).write_text(ROWS)
    code, out, err = lint()
    assert (code, err) == (1, "")
    assert "\x1b" not in out
    assert r"a\x1b[31m\n.py:2:12" in out
    assert r"b\xff.py:2:12" in out
    for form in ("json", "sarif", "github"):
        code, out, err = lint("--output-format", form)
        assert (code, err) == (1, "")


def test_another_encoding(lint, tmp_path):
    """Output that has no letter for something has its number."""
    (tmp_path / "a.py").write_text(
        "é = "
        + ROWS.splitlines()[1].split(" in ")[1].split(":")[0].replace("sqlite3", "__import__('sqlite3')")
        + "\n"
        + ROWS
    )
    code, out, err = lint(PYTHONIOENCODING="ascii")
    assert (code, err) == (1, "")
    assert out.isascii()


@pytest.mark.parametrize(
    ("asked", "words"),
    [("FW101", "FW101 rows-fetched"), ("rows-fetched", "FW101 rows-fetched"), ("all", "FW601"), ("fw2", "FW203")],
)
def test_explain(lint, asked, words):
    """A rule in full, a family, or all."""
    code, out, _ = lint("--explain", asked)
    assert code == 0
    assert words in out


def test_the_hook_for_pre_commit():
    """It names a command that there is, and file types that are looked at."""
    hook = (Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text("utf-8")
    assert "- id: flatwater-lint\n" in hook
    assert "  entry: flatwater lint\n" in hook
    assert "types_or: [python, jupyter]" in hook


def test_ended_by_who_reads(lint, tmp_path):
    """A reader that goes away is no error."""
    for number in range(50):
        (tmp_path / f"a{number}.py").write_text(ROWS * 50)
    done = subprocess.run(
        f"{sys.executable} -m flatwater lint . | head -1", shell=True, capture_output=True, timeout=60, check=False
    )
    assert done.stdout.startswith(b"a0.py:2:12")
    assert done.stderr == b""


def test_stdin_by_the_name_of_a_test(lint, tmp_path):
    """Text on stdin is left out where a file of its name would be."""
    (tmp_path / "pyproject.toml").write_text('[tool.flatwater.lint]\nexclude = ["vendor"]\n')
    assert lint("-", "--stdin-filename", "tests/test_a.py", stdin=ROWS.encode())[0] == 0
    assert lint("-", "--stdin-filename", "vendor", stdin=ROWS.encode())[0] == 0
    assert lint("-", "--stdin-filename", "src/a.py", stdin=ROWS.encode())[0] == 1


def test_stdin_by_the_name_of_a_file_elsewhere(lint, tmp_path):
    """The settings are those of that file's project, as for a file on disk: an editor runs anywhere."""
    (tmp_path / "other/src").mkdir(parents=True)
    (tmp_path / "other/pyproject.toml").write_text('[tool.flatwater.lint]\nignore = ["FW1"]\n')
    assert lint("-", "--stdin-filename", tmp_path / "other/src/a.py", stdin=ROWS.encode())[0] == 0
    assert lint("-", "--stdin-filename", "new/a.py", stdin=ROWS.encode())[0] == 1


def test_an_absolute_pattern(lint, tmp_path):
    """It is taken as of the project's folder."""
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "a.py").write_text(ROWS)
    assert lint("--exclude", tmp_path / "vendor", ".")[0] == 0


def test_a_cache_that_cannot_be_kept(lint, tmp_path):
    """It is said, where its folder was asked for; what is found is the same."""
    (tmp_path / "a.py").write_text(ROWS)
    code, _out, err = lint("--cache-dir", "a.py", ".")
    assert code == 1
    assert "nothing can be kept in 'a.py'" in err
