"""cli.tour: `flatwater tour`, as a user types it."""

from __future__ import annotations

import functools
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from flatwater.cli import main
from flatwater.cli import tour as cli_tour

MIB = 1 << 20


def tour(*words, **options):
    command = [sys.executable, "-m", "flatwater", "tour", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, **options)


def test_a_tour_of_a_directory(tmp_path):
    """A table with step, items, bytes, rate, promised, seen and naive; then the words, the limit and the verdict; exit code 0."""
    (tmp_path / "text.md").write_text("many words, many lines\n" * 500)
    done = tour("--budget", "8MiB", tmp_path)
    assert done.returncode == 0, done.stderr
    head, _table, row, *rest = done.stdout.splitlines()
    assert head.split() == ["step", "items", "bytes", "rate", "promised", "seen", "naive"]
    assert row.split()[:3] == ["words", "2,000", "words"]
    assert "8.0 MiB" in row
    assert any("most frequent: many 1,000, lines 500, words 500" in line for line in rest)
    assert rest[-1].strip().startswith("result    holds: ")
    assert "above the baseline" in rest[-1]
    assert "reading" in done.stderr


def test_json(tmp_path):
    """A file, or standard output for "-": then the table goes to standard error."""
    (tmp_path / "text.md").write_text("many words\n")
    done = tour("--budget", "8MiB", "--json", "-", tmp_path)
    data = json.loads(done.stdout)
    assert (data["holds"], data["exit_code"], data["steps"][1]["items"]) == (True, 0, 2)
    assert data["steps"][1]["seen_bytes"] <= data["steps"][1]["promised_bytes"]
    assert "result" in done.stderr
    path = tmp_path / "figures.json"
    quiet = tour("--budget", "8MiB", "--quiet", "--json", path, tmp_path / "text.md")
    assert (quiet.stdout, quiet.stderr, quiet.returncode) == ("", "", 0)
    assert json.loads(path.read_text())["steps"][1]["step"] == "words"


def test_html(tmp_path):
    """A page, also with --quiet; one that cannot be written is refused before the work."""
    pytest.importorskip("jinja2")
    (tmp_path / "text.md").write_text("many words\n")
    path = tmp_path / "report.html"
    done = tour("--budget", "8MiB", "--quiet", "--html", path, tmp_path / "text.md")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert "<td" in path.read_text()
    assert 'id="words"' in path.read_text()


@pytest.mark.slow
def test_what_is_kept_can_be_tried(tmp_path):
    """Each of the five commands works as it is printed, in a folder whose name has a space."""
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "a.md").write_text("# Title\n\nhow is it installed\n" * 100)
    done = tour("--seconds", "1", "--keep", tmp_path / "a house", texts)
    assert done.returncode == 0, done.stderr
    lines = [line.strip() for line in done.stderr.splitlines()]
    at = next(number for number, line in enumerate(lines) if line.startswith("kept in"))
    commands = lines[at + 1 : at + 6]
    assert len(commands) == 5
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = []
    for command in commands[:4]:
        words = [sys.executable, "-m", *shlex.split(command)]
        ran = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, env=environ, cwd=tmp_path)
        assert ran.returncode == 0, (command, ran.stderr)
        said.append(ran.stdout + ran.stderr)
    assert "a.md" in said[1]
    assert "User Number" in said[3]
    serve = [sys.executable, "-m", *shlex.split(commands[4])]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ) as child:
        line = child.stdout.readline()
        while "http://127.0.0.1:" not in line:
            assert line, "it ended"
            line = child.stdout.readline()
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=30)


@pytest.mark.slow
def test_this_machines_own_text():
    """Without a directory it reads this machine's own sources, a table and documents, and stops when its time is over."""
    done = tour("--seconds", "1", "--json", "-")
    data = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert data["steps"][1]["items"] > 10_000
    assert data["steps"][1]["files"] > 10
    assert [step["step"] for step in data["steps"]] == [
        "table",
        "words",
        "documents",
        "flow",
        "store",
        "sync",
        "corpus",
        "live",
        "serve",
    ]
    assert all(step["seen_bytes"] <= step["promised_bytes"] for step in data["steps"])
    assert data["steps"][1]["items"] > 10_000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--budget", "2MiB"], "The least that works is --budget"),
        (["--budget", "much"], "is not a size"),
        (["--seconds", "0"], "'--seconds': a step takes more than nothing"),
        (["--seconds", "2d"], "'--seconds': a step takes more than nothing"),
        (["no/such/place"], "no such file or directory"),
        (["--budget", "8MiB", "."], "there is no text to read in"),
        (["--json", "no/such/file"], "cannot be written"),
    ],
)
def test_wrong_use(tmp_path, monkeypatch, capsys, words, said):
    """Exit code 2 and a sentence that says what to do; nothing on standard output."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main.main(["tour", *words])
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert said in err
    assert "0 us" not in err


def groups_of(pid):
    """The control groups that a tour made, wherever they are."""
    return [path for path, *_ in os.walk("/sys/fs/cgroup") if f"/flatwater-tour-{pid}-" in path]


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), pytest.param(signal.SIGHUP, 129, marks=pytest.mark.slow)]
)
def test_a_signal_leaves_nothing_behind(tmp_path, number, code):
    """SIGTERM and SIGHUP end the tour at once: no temporary folder, no control group, no traceback."""
    command = [sys.executable, "-m", "flatwater", "tour", "--seconds", "60"]
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as child:
        until = time.monotonic() + 30
        while not list(tmp_path.glob("*/notes")):
            assert time.monotonic() < until
            time.sleep(0.02)
        child.send_signal(number)
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
    assert groups_of(child.pid) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize("step", ["table (being prepared)", "table", "documents"])
def test_a_signal_in_any_step_leaves_nothing(tmp_path, step):
    """While the table is made or read, or documents are: no folder, no control group, no process stays."""
    texts, temporary = tmp_path / "texts", tmp_path / "temporary"
    texts.mkdir()
    temporary.mkdir()
    (texts / "long.html").write_text("<html>" + "<p>some words of a page</p>\n" * 400_000)
    command = [sys.executable, "-m", "flatwater", "tour", "--seconds", "1", str(texts)]
    environ = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as child:
        until = time.monotonic() + 30
        while not any(json.dumps(step) in path.read_text() for path in temporary.glob("*/notes")):
            assert time.monotonic() < until
            time.sleep(0.02)
        processes = below(child.pid, needed=3 if step == "documents" else 2)
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out) == (143, "")
    assert "Traceback" not in err
    assert list(temporary.iterdir()) == []
    assert groups_of(child.pid) == []
    until = time.monotonic() + 30
    while any(psutil.pid_exists(pid) for pid in processes):  # killed, they are reaped by somebody else
        assert time.monotonic() < until
        time.sleep(0.02)


def below(pid, *, needed):
    """The process and all below it, as soon as there are so many: the tour, its process, and the one that reads documents."""
    until = time.monotonic() + 30
    while True:
        found = [child.pid for child in psutil.Process(pid).children(recursive=True)]
        if len(found) + 1 >= needed:
            return found
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_tour_that_dies_is_told(tmp_path, monkeypatch, capsys):
    """Exit code 4, and the limit is named: the twin that holds everything does not pass."""
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "tour")
    monkeypatch.setattr(cli_tour, "walk", functools.partial(cli_tour.walk, steps=["tour_steps:Everything"]))
    with pytest.raises(SystemExit) as ended:
        main.main(["tour", "--budget", "8MiB", "--quiet", str(tmp_path)])
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (4, "")
    assert "the tour died in step 'everything': it " in err
    assert "8.0 MiB that it promised, and the limit" in err


def test_an_error_in_a_step_is_shown(tmp_path, monkeypatch, capsys):
    """The table says how it ended, and standard error has the step's traceback."""
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "tour")
    monkeypatch.setattr(cli_tour, "walk", functools.partial(cli_tour.walk, steps=["tour_steps:Raises"]))
    with pytest.raises(SystemExit) as ended:
        main.main(["tour", str(tmp_path)])
    out, err = capsys.readouterr()
    assert ended.value.code == 4
    assert "the tour died in step 'blocks': KeyError: 'a plain bug'" in out
    assert "tour_steps.py" in err


@pytest.mark.slow
def test_a_hostile_name_does_not_reach_the_terminal(tmp_path):
    """Control characters in a directory's name are shown as text."""
    folder = tmp_path / "a\x1b[31mb"
    folder.mkdir()
    (folder / "text").write_text("word")
    done = tour("--budget", "8MiB", folder)
    assert done.returncode == 0
    assert "\x1b" not in done.stderr
