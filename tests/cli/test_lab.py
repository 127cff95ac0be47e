"""cli.lab: `flatwater lab` as a user types it."""

from __future__ import annotations

import html
import json
import os
import resource
import signal
import subprocess
import sys
import time

import pytest

from flatwater.cli import lab, main
from flatwater.tour.lab import registry
from flatwater.tour.lab.finding import Finding

FILES = ("--small", "--only", "files")


def flatwater(*words, **options):
    command = [sys.executable, "-m", "flatwater", "lab", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, **options)


def test_one_small_experiment(tmp_path):
    """Its table on stdout with the seed's figures, what it shows, the result; charts and a page in the folder; nothing is left."""
    folder, temporary = tmp_path / "deep" / "out", tmp_path / "temporary"
    temporary.mkdir()
    done = flatwater(
        *FILES, "--out", folder, "--json", tmp_path / "figures.json", env={**os.environ, "TMPDIR": str(temporary)}
    )
    assert (done.returncode, done.stderr) == (0, "")
    for needed in (
        "95.47 MB",
        "7.4 KB",
        "peak RSS",
        "shows",
        "held: FileChunks",
        "not comparable",
        "1 held, in",
    ):
        assert needed in done.stdout
    assert sorted(path.name for path in folder.iterdir()) == ["files.png", "index.html"]
    (experiment,) = json.loads((tmp_path / "figures.json").read_text())["experiments"]
    whole, chunks, by_hand = experiment["variants"]
    assert (experiment["state"], experiment["small"], experiment["size"]) == ("held", True, 1_000_000)
    assert whole["traced_peak_bytes"] == pytest.approx(1_000_000, rel=0.05)
    assert by_hand["traced_peak_bytes"] < 20_000 < chunks["traced_peak_bytes"] < 90_000
    assert list(temporary.iterdir()) == []
    assert "\x1b" not in done.stdout


@pytest.mark.slow
def test_all_of_it_small(tmp_path):
    """Every experiment runs at a hundredth of its size and holds; the page has a chart for each."""
    page = tmp_path / "page.html"
    done = flatwater("--small", "--html", page, "--json", "-")
    assert done.returncode == 0, done.stderr
    states = {one["name"]: one["state"] for one in json.loads(done.stdout)["experiments"]}
    assert states == dict.fromkeys([experiment.name for experiment in registry.all_experiments()], "held")
    assert page.read_text("utf-8").count("data:image/png;base64,") == len(states)
    assert "shows" in done.stderr  # the tables make room for the JSON


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--only", "file"], "Did you mean 'files'?"),
        (["--only", "ranges", "--only", "nothing"], "There are: ranges, cycles, files"),
        (["--out", "/dev/null/x"], "cannot be made: not a directory"),
        (["--html", "/no/such/place/page.html"], "cannot be written"),
        (["--json", "/no/such/place/f.json"], "cannot be written"),
        (["--out", "OUT", "--html", "OUT/index.html"], "one would overwrite the other"),
        (["files"], "unexpected extra argument"),
    ],
)
def test_wrong_use_is_two(words, says, tmp_path, capsys):
    """What cannot be meant is refused before anything is measured."""
    with pytest.raises(SystemExit) as end:
        main.main(["lab", *(word.replace("OUT", str(tmp_path / "out")) for word in words)])
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said


def test_without_matplotlib_there_are_tables(monkeypatch, tmp_path, capsys):
    """The page is written all the same; that the charts are left out is said with the line that installs them, on the page too."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SystemExit) as end:
        main.main(["lab", *FILES, "--out", str(tmp_path / "out")])
    assert end.value.code == 0
    out, err = capsys.readouterr()
    assert "charts    left out, as matplotlib is not installed: pip install 'flatwater[report]'" in out
    assert err == ""
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["index.html"]
    page = html.unescape((tmp_path / "out" / "index.html").read_text("utf-8"))
    assert "Charts are left out, as matplotlib is not installed: pip install 'flatwater[report]'" in page
    assert "FileChunks of 1 KiB" in page


def test_nobody_asked_for_charts(monkeypatch, capsys):
    """Tables alone need no matplotlib, and nothing is said of it."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SystemExit) as end:
        main.main(["lab", *FILES])
    assert end.value.code == 0
    assert "matplotlib" not in "".join(capsys.readouterr())


def test_what_does_not_fit_is_skipped_loudly():
    """Under a memory limit that leaves too little, the experiment is skipped with both figures, and the exit code is 3."""
    low = 200 << 20
    done = flatwater(*FILES, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (low, low)))
    assert done.returncode == 3, done.stderr
    assert "skipped: it needs 256 MiB of memory, and 200 MiB are left (by RLIMIT_DATA)" in " ".join(done.stdout.split())
    assert "1 skipped" in done.stdout


@pytest.mark.parametrize(
    ("states", "code"),
    [
        (["held", "held"], 0), (["held", "not held"], 1), (["held", "undecided"], 3), (["skipped"], 3),
        (["skipped", "not held"], 1), (["failed", "not held", "skipped"], 4),
    ],
)  # fmt: skip
def test_the_worst_state_is_the_exit_code(monkeypatch, states, code):
    """Failed is 4, not held 1, skipped or undecided 3, and only if all held 0."""
    monkeypatch.setattr(Finding, "state", property(lambda finding: finding.skipped))
    (files,) = registry.find(["files"])
    assert lab._exit_code([Finding(files, 1, small=True, skipped=state) for state in states]) == code


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_an_interrupt_leaves_nothing_behind(tmp_path, number, code):
    """Ctrl-C and SIGTERM end it at once: no temporary file, no measured process, no traceback."""
    command = [sys.executable, "-m", "flatwater", "lab", "--only", "ranges"]
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as child:
        until = time.monotonic() + 30
        while not any(tmp_path.iterdir()) or not (programs := children_of(child.pid)):
            assert time.monotonic() < until
            time.sleep(0.02)
        child.send_signal(number)
        _out, err = child.communicate(timeout=30)
    assert child.returncode == code
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in err
    until = time.monotonic() + 30
    while any(os.path.exists(f"/proc/{pid}") for pid in programs):  # killed, they are reaped by somebody else
        assert time.monotonic() < until
        time.sleep(0.02)


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return file.read().split()
    except OSError:
        pytest.skip("this kernel does not tell a process's children")


@pytest.mark.slow
def test_a_report_that_cannot_be_written_is_four(tmp_path):
    """On a full disk the reason is said, and a success becomes 4."""
    done = flatwater(*FILES, "--json", "/dev/full")
    assert done.returncode == 4
    assert "no space left on device" in done.stderr


def test_help_names_every_experiment():
    """The help has each experiment with a line of its own, the exit codes, and what it costs."""
    done = flatwater("--help")
    for experiment in registry.all_experiments():
        assert f"\n  {experiment.name} " in done.stdout
    for needed in (
        "two to four minutes",
        "2.5 GiB",
        "Exit codes: 0",
        "--small",
        "--only NAME",
        "'flatwater[report]'",
    ):
        assert needed in " ".join(done.stdout.split())
