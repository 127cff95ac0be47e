"""cli.run: `flatwater run` as a tired user types it, and as an attacker would: an error or a stated fallback, each time."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import flatwater

FLATWATER = [sys.executable, "-m", "flatwater", "run"]
PYTHON = [sys.executable, "-S"]


def run(*words, **options):
    """The finished process; whatever happened, no traceback of ours is in it."""
    command = [*FLATWATER, *words]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, **options)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


def said(done):
    return done.stderr.decode("utf-8", "backslashreplace")


@pytest.mark.parametrize("size", ["12 XB", "-5", "1e3", "", "9" * 400])
def test_a_budget_that_makes_no_sense_runs_nothing(tmp_path, size):
    """It is wrong use, the message shows what to write, and the program was not started."""
    witness = tmp_path / "ran"
    done = run("--budget", size, "--", "touch", str(witness))
    assert done.returncode == 2
    assert "--budget" in said(done)
    assert re.search(r"256MiB|4\.0 MiB|8 EiB", said(done))
    assert not witness.exists()


def test_a_budget_above_the_machine_is_said():
    """It runs, and the note says which of the two ends first."""
    done = run("--budget", "8388607TiB", "--", "sh", "-c", "exit 3")
    assert done.returncode == 3
    assert "larger than this machine's memory" in said(done)


def scripts(folder):
    """Programs that cannot be run, by what is wrong with them."""
    for name, text, mode in (
        ("no-permission", "#!/bin/sh\n", 0o644),
        ("bad-interpreter", "#!/no/such/interpreter\n", 0o755),
        ("no-interpreter", "echo hi\n", 0o755),
        ("empty", "", 0o755),
        ("own.py", "print()\n", 0o644),
    ):
        (folder / name).write_text(text)
        (folder / name).chmod(mode)


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("no-permission", 126, "executable"),
        ("bad-interpreter", 127, "interpreter in its first line"),
        ("no-interpreter", 126, "name its interpreter"),
        ("empty", 126, "name its interpreter"),
        ("own.py", 126, "python "),
        (".", 126, "a file?"),
        ("missing", 127, "spelling and PATH"),
        ("own.py/x", 126, "cannot be run"),
    ],
)
def test_what_cannot_be_started_says_what_to_do(tmp_path, name, code, says):
    """Not executable, a folder, a bad first line, no first line, no such file: a code as a shell's, and a hint."""
    scripts(tmp_path)
    done = run("--", str(tmp_path / name))
    assert done.returncode == code
    assert says in said(done)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 255", 255), ("kill -SEGV $$", 139), ("kill -KILL $$", 137), ("kill -TERM $$", 143), ("kill -RTMIN $$", 162),
        ("exec >&- 2>&- <&-; exit 8", 8),
    ],
)  # fmt: skip
def test_every_end_passes_through(tmp_path, script, code):
    """Codes up to 255, signals as a shell shows them, closed streams; and it is not called a budget's kill."""
    path = tmp_path / "f.json"
    done = run("--budget", "200MiB", "--json", str(path), "--", "sh", "-c", script)
    data = json.loads(path.read_text())
    assert (done.returncode, data["exit_code"], data["killed"]) == (code, code, False)
    assert "killed by the budget" not in said(done)


def test_without_the_separator():
    """A command without '--' runs; an option of ours behind it is the command's, which the note says."""
    done = run("sh", "-c", "echo $0 $*; exit 5", "--budget", "64MiB")
    assert (done.returncode, done.stdout) == (5, b"--budget 64MiB\n")
    assert "'--budget' stands after the command" in said(done)
    assert "held by" not in said(done)
    assert "stands after" not in said(run("--", "echo", "--budget", "64MiB"))


def test_a_mistyped_option_is_no_command():
    """It is wrong use with the nearest option named."""
    done = run("--budgt", "64MiB", "--", "true")
    assert done.returncode == 2
    assert "--budget" in said(done)


@pytest.mark.parametrize(
    ("option", "where"), [("--html", "missing/file"), ("--json", "."), ("--profile", "plain/file"), ("--html", "")]
)
def test_a_report_that_cannot_be_written_runs_nothing(tmp_path, option, where):
    """A missing folder, a folder, no name, a file as folder, a name too long: wrong use before anything ran."""
    (tmp_path / "plain").write_text("kept")
    done = run(option, where, "--", "touch", "ran", cwd=tmp_path)
    assert done.returncode == 2
    assert option in said(done)
    assert os.listdir(tmp_path) == ["plain"]


def test_a_device_stays_a_device(tmp_path):
    """Reports into /dev/null leave it what it is: it is written to, not replaced."""
    done = run("-q", "--json", "/dev/null", "--html", "/dev/null", "--", "sh", "-c", "exit 3")
    assert done.returncode == 3
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_full_disk_keeps_the_code_and_the_other_report(tmp_path):
    """One report that cannot be written is said; the other is there, the program's code passes, and a success becomes 4."""
    for exit_code, expected in ((3, 3), (0, 4)):
        path = tmp_path / f"{exit_code}.html"
        done = run("--json", "/dev/full", "--html", str(path), "--", "sh", "-c", f"exit {exit_code}")
        assert done.returncode == expected
        assert "'/dev/full' could not be written: no space left on device" in said(done)
        assert path.read_text().startswith("<!doctype html>")


def test_a_profile_on_a_full_disk_keeps_the_figures(tmp_path):
    """The figures and the program's code survive a profile that cannot be written, and the summary says so."""
    code = "rows = ['row %d' % i for i in range(30_000)]; raise SystemExit(5)"
    path = tmp_path / "f.json"
    done = run("--profile", "/dev/full", "--json", str(path), "--", sys.executable, "-c", code)
    assert done.returncode == 5
    assert "could not be written" in said(done)
    assert json.loads(path.read_text())["exit_code"] == 5


def test_one_file_for_two_reports_is_refused(tmp_path):
    """The second would overwrite the first: nothing runs."""
    done = run("--json", "same", "--html", "./same", "--", "touch", "ran", cwd=tmp_path)
    assert done.returncode == 2
    assert "one would overwrite the other" in said(done)
    assert os.listdir(tmp_path) == []


def test_figures_into_the_programs_own_output(tmp_path):
    """--json /dev/stdout with the output in a file keeps what the program wrote there."""
    with open(tmp_path / "out", "wb") as out:
        command = [*FLATWATER, "-q", "--json", "/dev/stdout", "--", "echo", "mine"]
        subprocess.run(command, stdout=out, timeout=60, check=True)
    first, rest = (tmp_path / "out").read_text().split("\n", 1)
    assert first == "mine"
    assert json.loads(rest)["exit_code"] == 0


def test_arguments_that_are_no_text(tmp_path):
    """Bytes that are no UTF-8 reach the program as they are; every report can be written, and shows them escaped."""
    page, figures = tmp_path / "r.html", tmp_path / "f.json"
    hostile = b"\xff\xfe\x1b[31m"
    done = run(*map(os.fsencode, ("--html", page, "--json", figures, "--", "printf", "%s")), hostile)
    assert (done.returncode, done.stdout) == (0, hostile)
    assert json.loads(figures.read_text())["command"][-1] == os.fsdecode(hostile)
    assert r"\xff\xfe\x1b[31m" in page.read_text("utf-8")
    assert b"\x1b" not in done.stderr
    assert r"$'\xff\xfe\x1b[31m'" in said(done)


def test_stdin_passes_through():
    """What is piped in is the program's, to the last byte."""
    data = os.urandom(300_000)
    assert run("-q", "--", "cat", input=data).stdout == data


@pytest.mark.parametrize("words", [["-q"], []])
def test_a_program_that_says_nothing(words):
    """A silent program makes a silent run, but for the summary."""
    done = run(*words, "--", "sleep", "0.3")
    assert (done.returncode, done.stdout) == (0, b"")
    assert bool(done.stderr) == (not words)


def test_many_short_children(tmp_path):
    """Hundreds of processes that live a millisecond: counted as an interval, none left behind, code passed through."""
    path = tmp_path / "f.json"
    script = "i=0; while [ $i -lt 400 ]; do /bin/true; i=$((i+1)); done; exit 9"
    done = run("--json", str(path), "--", "sh", "-c", script)
    data = json.loads(path.read_text())
    assert (done.returncode, data["peak_kind"], data["left_behind"]) == (9, "interval", [])
    assert data["peak_rss_bytes"] <= data["peak_rss_upper_bytes"]


def test_a_double_fork_is_named_and_left_alone(tmp_path):
    """Daemons that closed everything are still found; their numbers are told, and they live on."""
    path = tmp_path / "f.json"
    script = "(setsid sh -c 'exec >&- 2>&- <&-; exec sleep 60' &) ; exit 4"
    done = run("--linger", "200ms", "--json", str(path), "--", "sh", "-c", script)
    (left,) = json.loads(path.read_text())["left_behind"]
    assert done.returncode == 4
    os.kill(left, signal.SIGKILL)  # it was alive


def test_a_gigabyte_of_stderr_into_nowhere():
    """Nothing of it goes through us."""
    code = "import os\nblock = b'x' * 1048576\nfor _ in range(1024):\n    os.write(2, block)\n"
    done = subprocess.run(
        [*FLATWATER, "-q", "--", *PYTHON, "-c", code], stderr=subprocess.DEVNULL, timeout=60, check=False
    )
    assert done.returncode == 0


def hidden(*folders):
    """Words that run a command with empty folders in place of these, or a loud skip."""
    mounts = "; ".join(f"mount -t tmpfs none {folder}" for folder in folders)
    words = ["unshare", "--mount", "sh", "-ec", f'{mounts}; exec "$@"', "sh"]
    tried = subprocess.run([*words, "true"], capture_output=True, check=False) if shutil.which("unshare") else None
    if tried is None or tried.returncode:
        pytest.skip(f"NO MOUNT NAMESPACE HERE: a machine without {' and '.join(folders)} was not tried")
    return words


@pytest.mark.parametrize(("folder", "says"), [("/sys/fs/cgroup", "RLIMIT_DATA"), ("/proc", "RLIMIT_DATA")])
def test_without_rights_or_proc_it_falls_back_and_says_so(folder, says):
    """No cgroup, or no /proc at all: RLIMIT_DATA holds the budget, the reason is told, the code passes."""
    words = hidden(folder)
    done = subprocess.run(
        [*words, *FLATWATER, "--budget", "64MiB", "--", "sh", "-c", "exit 3"], capture_output=True, timeout=60, check=False
    )  # fmt: skip
    assert done.returncode == 3
    assert says in said(done)
    assert "cgroup v2 is not mounted" in said(done)
    assert "Traceback" not in said(done)
    refused = subprocess.run(
        [*words, *FLATWATER, "--budget", "64MiB", "--limit-kind", "cgroup", "--", "true"], capture_output=True, timeout=60, check=False
    )  # fmt: skip
    assert refused.returncode == 4
    assert "--limit-kind rlimit_data" in said(refused)


def test_a_hard_limit_below_the_budget_is_said():
    """Where the user may have less, the program runs under that, and the summary names it."""

    def lower():
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (300 << 20, 300 << 20))

    words = ["--budget", "4GiB", "--limit-kind", "rlimit_data", "--", "sh", "-c", "ulimit -Hd; exit 3"]
    done = run(*words, preexec_fn=lower)
    assert (done.returncode, done.stdout) == (3, b"307200\n")
    assert "a hard limit of 300 MiB was there before" in said(done)


def test_in_a_folder_that_was_removed(tmp_path):
    """The program runs; a report with a relative name is refused with the reason."""
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f"cd {gone} && rmdir {gone} && exec {sys.executable} -m flatwater run"
    environ = {**os.environ, "PYTHONPATH": str(Path(flatwater.__file__).parent.parent)}
    for words, code in (("-- sh -c 'exit 5' 2>&1", 5), ("--json x -- true 2>&1", 2)):
        done = subprocess.run(
            ["sh", "-c", f"{command} {words}"], env=environ, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == code
        assert b"Traceback" not in done.stdout
