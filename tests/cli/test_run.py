"""cli.run: `flatwater run` on anyone's program, as a user types it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

MIB = 1 << 20
PYTHON = [sys.executable, "-S"]
KEYS = {
    "peak_rss_bytes", "peak_anon_bytes", "peak_kind", "pattern", "limit_kind",
    "killed", "exit_code", "wall_s", "cpu_s", "samples",
}  # fmt: skip
HOG = "rows = []\nfor i in range(100_000_000):\n    rows.append('row %d' % i)\n"
SAMPLED = Path(__file__).with_name("until_sampled.py").read_text("utf-8")
WAIT_S = 30


def flatwater(*words, **options):
    command = [sys.executable, "-m", "flatwater", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


def figures(tmp_path, *words, **options):
    """What `--json` says, and the finished process."""
    path = tmp_path / "figures.json"
    done = flatwater("run", "--json", path, *words, **options)
    return json.loads(path.read_text()), done


def until_it_waits_for(pid, number):
    """Until that flatwater has blocked the signal, which it passes on from then on: the program may be there sooner."""
    deadline = time.monotonic() + WAIT_S
    while True:
        status = Path(f"/proc/{pid}/status").read_text()
        if int(re.search(r"SigBlk:\t([0-9a-f]+)", status)[1], 16) >> (number - 1) & 1:
            return
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_without_a_budget_it_measures(tmp_path):
    """Peak, kind, pattern and times of a program that holds 64 MiB; its output and exit code pass through."""
    code = f"{SAMPLED}\nheld = bytearray({64 * MIB}); print('hello'); sampled(30); raise SystemExit(5)"
    data, done = figures(tmp_path, "--", *PYTHON, "-c", code)
    assert data.keys() >= KEYS
    assert (done.returncode, done.stdout) == (5, "hello\n")
    assert (data["exit_code"], data["killed"], data["limit_kind"], data["peak_kind"]) == (5, False, "none", "exact")
    assert 64 * MIB <= data["peak_anon_bytes"] <= data["peak_rss_bytes"] <= 90 * MIB
    assert 0.1 <= data["wall_s"] <= 60
    assert data["samples"] >= 10
    assert "64." in done.stderr or "7" in done.stderr
    assert "pattern" in done.stderr


def test_a_hog_is_killed_by_its_budget(tmp_path):
    """It says that it was killed, with the growth and the line, and exits 137; memory stayed inside."""
    script = tmp_path / "hog.py"
    script.write_text(HOG)
    data, done = figures(tmp_path, "--budget", "64MiB", "--", sys.executable, script)
    assert (done.returncode, data["exit_code"], data["killed"]) == (137, 137, True) or data[
        "limit_kind"
    ] == "rlimit_data"
    assert data["peak_anon_bytes"] <= 66 * MIB
    assert "killed by the budget of 64.0 MiB, growing by" in done.stderr or data["limit_kind"] == "rlimit_data"
    assert data["suspects"][0]["line"] in (2, 3)
    assert data["suspects"][0]["source"].startswith(("rows.append", "for i"))
    assert "hog.py:" in done.stderr
    assert data["limit_kind"] in done.stderr or "RLIMIT_DATA" in done.stderr


def test_rlimit_data_refuses(tmp_path):
    """Under RLIMIT_DATA the program gets its own MemoryError, and the summary says that memory was refused."""
    script = tmp_path / "hog.py"
    script.write_text(f"{SAMPLED}\n{HOG}    if i == 500_000: sampled(10)\n")  # at two thirds of the budget
    data, done = figures(tmp_path, "--budget", "64MiB", "--limit-kind", "rlimit_data", "--", sys.executable, script)
    assert data["limit_kind"] == "rlimit_data"
    assert "MemoryError" in done.stderr
    assert (done.returncode, data["killed"], data["refused"]) == (1, False, True)
    assert "refused memory" in done.stderr


def test_watching_only_kills_too(tmp_path):
    """Without any kernel limit the tree is killed when its sampled size passes the budget."""
    script = tmp_path / "hog.py"
    script.write_text(HOG)
    data, done = figures(tmp_path, "--budget", "64MiB", "--limit-kind", "none", "--", sys.executable, script)
    assert (done.returncode, data["limit_kind"], data["killed"]) == (137, "watched", True)
    assert data["peak_anon_bytes"] <= 128 * MIB


def test_a_flat_program_stays_inside(tmp_path):
    """A program within its budget is not disturbed, and the summary says so."""
    data, done = figures(tmp_path, "--budget", "64MiB", "--", *PYTHON, "-c", f"{SAMPLED}\nsampled(30)")
    assert (done.returncode, data["killed"], data["pattern"]) == (0, False, "flat")
    assert "stayed inside 64.0 MiB" in done.stderr
    assert data["forecast"]["seconds"] is None


def test_a_tree_is_measured_whole(tmp_path):
    """Two children of 40 MiB at once make an interval of at least 80 MiB."""
    child = f"import sys; held = bytearray({40 * MIB}); print('ready', flush=True); sys.stdin.read()"
    code = f"""{SAMPLED}
import subprocess, sys
pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
children = [subprocess.Popen([sys.executable, "-S", "-c", {child!r}], **pipes) for _ in "12"]
for child in children:
    child.stdout.readline()
sampled(10, *[child.pid for child in children])
for child in children:
    child.communicate()
"""
    data, _done = figures(tmp_path, "--", *PYTHON, "-c", code)
    assert data["peak_kind"] == "interval"
    assert data["processes"] == 3
    assert 80 * MIB <= data["peak_rss_bytes"] <= data["peak_rss_upper_bytes"] <= 200 * MIB


def test_c_code_that_holds_the_lock_is_named(tmp_path):
    """A line that allocates in one long C call is a suspect, although no other Python code could run meanwhile."""
    script = tmp_path / "once.py"
    # Several calls: a busy machine may look at none of the growth of a single one.
    script.write_text("def ids(n):\n    return list(range(n))\n\nkept = [ids(1_000_000) for _ in range(6)]\n")
    data, _done = figures(tmp_path, "--", sys.executable, script)
    top = data["suspects"][0]
    assert (Path(top["file"]).name, top["line"], top["function"]) == ("once.py", 2, "ids")
    assert top["share"] > 0.5


@pytest.mark.parametrize("profile_of", [pytest.param("killed", marks=pytest.mark.slow), "ended"])
def test_a_profile_opens_in_speedscope(tmp_path, profile_of):
    """--profile writes speedscope's format, also for a program that was killed."""
    script, profile = tmp_path / "job.py", tmp_path / "profile.json"
    script.write_text(HOG if profile_of == "killed" else "rows = ['row %d' % i for i in range(30_000)]\n")
    budget = ["--budget", "96MiB", "--limit-kind", "none"] if profile_of == "killed" else []
    done = flatwater("run", *budget, "--profile", profile, "--", sys.executable, script)
    assert done.returncode == (137 if profile_of == "killed" else 0), done.stderr
    data = json.loads(profile.read_text())
    assert data["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    (recorded,) = data["profiles"]
    assert recorded["unit"] == "bytes"
    assert recorded["endValue"] == sum(recorded["weights"]) > MIB
    names = [data["shared"]["frames"][stack[-1]]["file"] for stack in recorded["samples"]]
    assert str(script) in names


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--budget", "0", "--", "true"], "no program fits"),
        (["--budget", "12 XB", "--", "true"], "unknown unit 'XB'"),
        (["--budget", "-5MiB", "--", "true"], "256MiB"),
        (["--budget", "nan", "--", "true"], "256MiB"),
        (["--budget", "9EiB", "--", "true"], "256MiB"),
        (["--linger", "soon", "--", "true"], "10s"),
        (["--html", "/no/such/place/report.html", "--", "true"], "cannot be written"),
        (["--json", "/proc/figures.json", "--", "true"], "written"),
        ([], "no command to run"),
        (["--"], "no command to run"),
        (["--", ""], "no command to run"),
    ],
)
def test_wrong_use_is_two(words, says):
    """What cannot be meant is refused before anything runs, with what to write instead."""
    done = flatwater("run", *words)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("command", "exit_code"), [("no-such-command-anywhere", 127), ("/etc/hostname", 126), ("/", 126)]
)
def test_what_cannot_be_started(command, exit_code):
    """Not found is 127 and not executable 126, as for env; a sentence, no traceback."""
    done = flatwater("run", "--budget", "64MiB", "--", command)
    assert done.returncode == exit_code
    assert repr(command) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_budget_larger_than_memory_is_said(tmp_path):
    """It holds, and the summary says that the machine has less."""
    data, done = figures(tmp_path, "--budget", "900TiB", "--", "true")
    assert done.returncode == 0
    assert any("memory" in note for note in [*data["notes"], data["limit_note"]])


def test_signals_pass_through(tmp_path):
    """A program ended by a signal is 128 + the signal, named; one that raised it itself as well."""
    data, done = figures(tmp_path, "--", "sh", "-c", "kill -SEGV $$")
    assert (done.returncode, data["signal"], data["killed"]) == (139, 11, False)
    assert "SIGSEGV" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_us_is_for_the_program(tmp_path, number):
    """What is sent to flatwater reaches the program, which ends in its own way, and the figures are still written."""
    path = tmp_path / "figures.json"
    script = "trap 'echo caught; exit 33' INT TERM HUP; echo ready; while :; do sleep 0.02; done"
    command = [sys.executable, "-m", "flatwater", "run", "--json", str(path), "--", "sh", "-c", script]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        assert child.stdout.readline() == "ready\n"
        until_it_waits_for(child.pid, number)
        child.send_signal(number)
        out, err = child.communicate(timeout=WAIT_S)
    assert (child.returncode, out) == (33, "caught\n"), err
    assert json.loads(path.read_text())["exit_code"] == 33


def test_a_program_that_ignores_sigterm_is_killed_after_the_grace(tmp_path):
    """SIGTERM is passed on; after --grace the tree is killed, and the note says so."""
    script = "trap '' TERM; echo ready; while :; do sleep 0.02; done"
    command = [sys.executable, "-m", "flatwater", "run", "--grace", "300ms", "--", "sh", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "ready\n"
        until_it_waits_for(child.pid, signal.SIGTERM)
        child.terminate()
        _out, err = child.communicate(timeout=WAIT_S)
    assert child.returncode == 137
    assert "did not end within 300 ms" in err
    assert "killed by the budget" not in err


def test_ctrl_c_on_a_terminal_reaches_the_program_once():
    """The terminal sends it to the whole group: it is not sent a second time."""
    script = "import signal, time\nhits = []\nsignal.signal(signal.SIGINT, lambda *_: hits.append(1))\nprint('ready', flush=True)\n"
    script += f"end = time.monotonic() + {WAIT_S}\nwhile not hits and time.monotonic() < end:\n    time.sleep(0.05)\n"
    script += "time.sleep(0.5)\nprint('hits', len(hits), flush=True)\n"  # a second one would be there by then
    seen, code = on_a_terminal(["--budget", "200MiB", "--", sys.executable, "-c", script], answers={b"ready": b"\x03"})
    assert b"hits 1" in seen
    assert code == 0


def on_a_terminal(words, *, answers=None):
    """All bytes that a terminal gets from `flatwater run`, and its exit code; `answers` are typed when a word was seen."""
    pty = pytest.importorskip("pty")
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-m", "flatwater", "run", *words])
    seen = b""
    answers = dict(answers or {})
    with contextlib.suppress(OSError):
        while chunk := os.read(terminal, 4096):
            seen += chunk
            for word in [word for word in answers if word in seen]:
                until_it_waits_for(pid, signal.SIGINT)
                os.write(terminal, answers.pop(word))
    os.close(terminal)
    return seen, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_profile_that_cannot_be_written_is_a_failure(tmp_path):
    """On a full disk the reason is said, also with -q, the figures are there, and a success becomes 4."""
    code = "rows = ['row %d' % i for i in range(30_000)]"
    data, done = figures(tmp_path, "-q", "--profile", "/dev/full", "--", sys.executable, "-c", code)
    assert (done.returncode, data["exit_code"]) == (4, 0)
    assert re.fullmatch(r"(?i)flatwater: .*'/dev/full'.* no space left on device.*\n", done.stderr)


def test_quiet_is_quiet_on_a_terminal():
    """With -q a terminal gets what the program writes, and nothing else."""
    assert on_a_terminal(["-q", "--", "printf", "42"]) == (b"42", 0)


def test_no_live_line_in_a_pipe(tmp_path):
    """Nothing but the summary, and no control characters, where there is no terminal."""
    done = flatwater("run", "--", "sleep", "0.3")
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr
    assert done.stdout == ""


def test_a_daemon_is_measured_and_left_alone(tmp_path):
    """What outlives the program is measured for --linger, named, and goes on."""
    witness, go = tmp_path / "witness", tmp_path / "go"
    daemon = f"while [ ! -e {go} ]; do sleep 0.02; done; echo alive > {witness}"
    script = f"(setsid sh -c '{daemon}' >/dev/null 2>&1 &) ; exit 4"
    data, done = figures(tmp_path, "--budget", "64MiB", "--linger", "200ms", "--", "sh", "-c", script)
    assert done.returncode == 4
    assert len(data["left_behind"]) >= 1
    assert "left behind" in done.stderr
    go.touch()
    deadline = time.monotonic() + WAIT_S
    while not witness.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_gigabyte_of_stderr_passes_through():
    """The program writes to our own stderr: nothing is buffered, nothing is lost."""
    code = "import os\nblock = b'x' * 1048576\nfor _ in range(1024):\n    os.write(2, block)\n"
    with subprocess.Popen(
        [sys.executable, "-m", "flatwater", "run", "-q", "--", *PYTHON, "-c", code], stderr=subprocess.PIPE
    ) as child:
        total = 0
        while chunk := child.stderr.read(1 << 20):
            total += len(chunk)
    assert (child.returncode, total) == (0, 1024 * MIB)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_descriptors_are_no_traceback(closed, tmp_path):
    """With stdin, stdout or stderr closed the program still runs and its code passes through."""
    command = f"{sys.executable} -m flatwater run --budget 64MiB -- sh -c 'exit 6' {closed}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 6
    assert "Traceback" not in done.stdout + done.stderr


def test_the_environment_is_the_programs_own(tmp_path):
    """sys.path, an own sitecustomize and open descriptors are as without us."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.own_sitecustomize = True\n")
    code = "import sys, os; print(sys.path, getattr(sys, 'own_sitecustomize', None), len(sys.argv))"
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    plain = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    done = flatwater("run", "-q", "--", sys.executable, "-c", code, env=environ)
    assert done.stdout == plain.stdout
    assert "True" in plain.stdout


def test_threads_and_forks_warn_no_more_than_before():
    """A program that turns warnings into errors and forks runs as without us: we add no thread to it."""
    code = "import os, warnings; warnings.simplefilter('error'); pid = os.fork(); pid or os._exit(3); print(os.waitpid(pid, 0)[1] >> 8)"
    done = flatwater("run", "-q", "--", sys.executable, "-W", "error", "-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "3\n", "")


def test_help_shows_the_way():
    """The help has the separator, an example, the exit codes, where the live line is, and what a profile costs."""
    done = flatwater("run", "--help")
    assert done.returncode == 0
    words = " ".join(done.stdout.split())
    for needed in ("-- CMD...", "flatwater run --budget 256MiB", "137", "--profile", "7x to 18x", "last row"):
        assert needed in words
    for needed in ("2 is wrong use", "4 comes in place of 0"):
        assert needed in words
