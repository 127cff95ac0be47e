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
    return subprocess.run(command, capture_output=True, text=True, timeout=280, check=False, **options)


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
@pytest.mark.timeout(300)
def test_this_machines_own_text_and_what_is_kept_of_it(tmp_path):
    """Without a directory it reads this machine's own files, in all steps, twice, and each twin is told; the five commands work as printed."""
    done = tour("--seconds", "1", "--json", "figures.json", "--keep", "a house", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    data = json.loads((tmp_path / "figures.json").read_text())
    assert [step["step"] for step in data["steps"]] == list(STEP_CLASSES)
    for step in data["steps"]:
        assert step["seen_bytes"] <= step["promised_bytes"] == step["trial"]["limit_bytes"]
        assert step["trial"]["holds"]
        assert step["trial"]["naive"]["end"] != "failed" or step["trial"]["naive"]["limit"]["kind"] == "rlimit_data"
    assert data["steps"][0]["trial"]["naive"]["end"] in {"killed", "refused"}
    assert data["steps"][0]["items"] > 10_000
    assert data["steps"][1]["files"] > 10
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
    assert "User Number" in said[3]
    serve = [sys.executable, "-m", *shlex.split(commands[4])]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ) as child:
        line = child.stdout.readline()
        while "http://127.0.0.1:" not in line:
            assert line, "it ended"
            line = child.stdout.readline()
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=30)


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
    ("numbers", "code"),
    [
        ([signal.SIGTERM], 143),
        pytest.param([signal.SIGHUP], 129, marks=pytest.mark.slow),
        ([signal.SIGINT, signal.SIGINT, signal.SIGINT], 130),
    ],
)
def test_a_signal_leaves_nothing_behind(tmp_path, numbers, code):
    """SIGTERM and SIGHUP end the tour at once, and so does Ctrl-C, also pressed again: no temporary folder, no control group, no traceback."""
    command = [sys.executable, "-m", "flatwater", "tour", "--seconds", "60"]
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as child:
        until = time.monotonic() + 30
        while not list(tmp_path.glob("*/notes")):
            assert time.monotonic() < until
            time.sleep(0.02)
        for number in numbers:
            child.send_signal(number)
            time.sleep(0.02)  # two at once are one
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
    assert groups_of(child.pid) == []


ONE_STEP = """
import functools, sys
from flatwater.cli import main, tour
from flatwater.tour.steps import STEPS
tour.walk = functools.partial(tour.walk, steps=[step for step in STEPS if step.endswith(":" + sys.argv[1])])
main.main(["tour", "--seconds", "2", *sys.argv[2:]])
"""
STEP_CLASSES = {
    "table": "FindEach", "words": "Words", "documents": "ReadDocuments", "flow": "FlowDocuments", "store": "KeepRows",
    "sync": "MirrorDocuments", "corpus": "IngestDocuments", "live": "LiveRows", "serve": "ServeRows",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize(
    ("step", "when", "number"),
    [
        ("table", "table (being prepared)", signal.SIGINT),
        *((step, step, signal.SIGINT) for step in STEP_CLASSES),
        ("documents", "documents", signal.SIGTERM),
        ("serve", "serve", signal.SIGHUP),
        ("flow", "flow, alone", signal.SIGINT),
        ("live", "live, naive", signal.SIGINT),
        ("serve", "serve, naive", signal.SIGTERM),
    ],
)
def test_a_signal_in_any_step_leaves_nothing(tmp_path, step, when, number):
    """In the tour, alone or in its twin: no folder (nor the one to keep, nor the one made above it), no control group and no process stays, and no traceback is shown."""
    texts, temporary = tmp_path / "texts", tmp_path / "temporary"
    texts.mkdir()
    temporary.mkdir()
    (texts / "long.html").write_text("<html>" + "<p>some words of a page</p>\n" * 400_000)
    command = [sys.executable, "-c", ONE_STEP, STEP_CLASSES[step], "--keep", temporary / "above" / "kept", texts]
    environ = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as child:
        name = when.partition(",")[0]
        notes = {when: "*/notes", f"{name}, alone": "*/notes-alone", f"{name}, naive": "*/notes-alone"}[when]
        text = '"began_s"' if when.endswith("naive") else json.dumps(name)
        until = time.monotonic() + 60
        while not any(text in path.read_text() for path in temporary.glob(notes) if path.exists()):
            assert time.monotonic() < until
            assert child.poll() is None
            time.sleep(0.01)
        processes = [each.pid for each in psutil.Process(child.pid).children(recursive=True)]
        child.send_signal(number)
        out, err = child.communicate(timeout=60)
    assert processes
    assert (child.returncode, out) == (128 + number, "")
    assert "Traceback" not in err
    assert list(temporary.iterdir()) == []
    assert groups_of(child.pid) == []
    until = time.monotonic() + 30
    while any(is_alive(pid) for pid in processes):  # killed, they are reaped by somebody else
        assert time.monotonic() < until
        time.sleep(0.02)


def is_alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


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
