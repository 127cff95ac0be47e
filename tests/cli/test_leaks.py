"""cli.leaks: `flatwater leaks`, as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from flatwater.cli import main
from flatwater.proof.leaks import hunt, separate

CODE = """
ROWS = []
class Row: pass
def load():
    print("loading")
    ROWS.append(Row())
def unload():
    ROWS.pop()
def broken():
    raise ValueError("no such table")
def skips():
    class Skipped(BaseException):
        pass
    raise Skipped("not today")
def rows():
    yield 1
"""


@pytest.fixture
def leaks(tmp_path):
    """Types a command in a folder with a file of jobs."""
    (tmp_path / "jobs.py").write_text(CODE)

    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "flatwater", "leaks", *words],
            capture_output=True, text=True, timeout=100, check=False, cwd=tmp_path, env={**os.environ, "COLUMNS": "120"},
        )  # fmt: skip

    return run


def test_a_leak_is_told(leaks, tmp_path):
    """It exits 1 with what grew, who holds it and what to do; figures go to a file; what the function prints is dropped."""
    done = leaks("jobs.py::load", "--rounds", "3", "--json", "figures.json")
    assert (done.returncode, done.stdout) == (main.DOES_NOT_HOLD, ""), done.stderr
    assert "jobs.ROWS (list) is 1 entry longer after each round" in done.stderr
    assert "1 jobs.Row" in done.stderr
    data = json.loads((tmp_path / "figures.json").read_text())
    assert data["leaks"][0]["chain"][0] == "jobs.ROWS[7]"


@pytest.mark.slow
def test_undo_and_stdout(leaks):
    """With the way back it exits 0; '-' puts nothing but the figures on stdout, even if what it prints is shown."""
    done = leaks("jobs:load", "--undo", "jobs:unload", "--json", "-", "--show-output", "-q")
    assert done.returncode == main.HOLDS, done.stdout
    assert json.loads(done.stdout)["holds"] is True
    assert done.stderr.count("loading") in {2 + 8, 2 + 8 + 8}


def test_a_function_that_fails(leaks):
    """It exits 4 and shows the function's own traceback, not ours."""
    done = leaks("jobs.py::broken")
    assert done.returncode == main.FAILED
    assert "no such table" in done.stderr
    assert "in broken" in done.stderr
    assert "direct cause" not in done.stderr


def test_a_function_that_raises_no_exception(leaks):
    """What is no Exception ends in exit code 4 and the function's own traceback as well: nothing is known about leaks."""
    done = leaks("jobs.py::skips")
    assert done.returncode == main.FAILED
    assert "action jobs.skips raised skips.<locals>.Skipped: not today." in done.stderr
    assert "process.py" not in done.stderr


def test_a_function_that_is_not_there(leaks):
    """It exits 2 with the functions that are there, and without a traceback, though another process looked for it."""
    done = leaks("jobs.py::nothing")
    assert done.returncode == main.WRONG_USE
    assert "It has Row, broken, load" in done.stderr
    assert "Traceback" not in done.stderr


def hunt_here(action, *, undo, rounds, warmup, ignore, cycles, **_of_the_process):
    """In this process: wrong use is told before anything is looked at."""
    return hunt.find_leaks(action, undo=undo, rounds=rounds, warmup=warmup, ignore=ignore, cycles=cycles)


@pytest.mark.parametrize(
    "words",
    [
        ["jobs.py"],
        ["nothing.py::load"],
        ["json::load"],
        ["shlex:nothing"],
        ["shlex:split"],
        ["jobs.py::load", "--rounds", "1"],
        ["jobs.py::load", "--timeout", "0"],
        ["jobs.py::load", "--limit", "1"],
        ["jobs.py::load", "--json", "no/such/folder/f.json"],
        [],
    ],
    ids=" ".join,
)
def test_wrong_use(capsys, monkeypatch, tmp_path, words):
    """Each mistake exits 2 with a sentence, and without a traceback."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(separate, "hunt_in_worker", hunt_here)
    with pytest.raises(SystemExit) as ended:
        main.main(["leaks", *words])
    said = capsys.readouterr().err
    assert ended.value.code == main.WRONG_USE
    assert "Traceback" not in said
    assert said.strip()
