"""cli.prove: `flatwater prove`, as a user types it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import pytest

from flatwater import limits
from flatwater.cli import main as cli_main

MIB = 1 << 20
JOBS = '''
def flat(n):
    """Work that takes longer with n, and no more memory."""
    total = 0
    for number in range(3 * n):
        total += number
    return total

def grows(n):
    return [bytes(1000) for _ in range(n)]

def raises(n):
    raise ValueError(f"no {n}")

def ignores(n):
    return 1
'''
SMALL = ["--sizes", "2k..32k"]


class Done:
    """What a command printed, and its exit code."""

    def __init__(self, code, captured):
        self.code, self.out, self.err = code, captured.out, captured.err


@pytest.fixture
def flatwater(capfd, monkeypatch):
    """`flatwater(*words)` is `flatwater prove words`, in this process."""

    def run(*words):
        sigint = signal.getsignal(signal.SIGINT)
        with pytest.raises(SystemExit) as ended:
            cli_main.main(["prove", *map(str, words)])
        signal.signal(signal.SIGINT, sigint)
        return Done(ended.value.code, capfd.readouterr())

    return run


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    """jobs.py in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jobs.py").write_text(JOBS)
    return tmp_path


def test_a_file_of_scenarios(flatwater, jobs):
    """Each gets its table and verdict, or its error; JSON and JUnit hold all of them; the gravest code counts."""
    done = flatwater("jobs.py", *SMALL, "--json", "proofs.json", "--junit", "proofs.xml")
    assert done.code == 4
    assert [line for line in done.out.splitlines() if line.startswith("flatwater prove: ")] == [
        "flatwater prove: jobs.py::flat", "flatwater prove: jobs.py::grows",
    ]  # fmt: skip
    assert "constant: growth above" in done.out
    assert "holds       memory does not grow with n" in done.out
    assert "grows (linear): 1.0 KiB per item" in done.out
    assert "flatwater: jobs.py::raises at n=2,000 failed: ValueError: no 2000.\n  | Traceback" in done.err
    assert "flatwater: jobs.py::ignores cannot be measured: it never reads its n." in done.err
    flat, grows, raises, ignores = json.loads((jobs / "proofs.json").read_text())["proofs"]
    assert (flat["verdict"], flat["outcome"], flat["kind"]) == ("constant", "holds", None)
    assert (grows["verdict"], grows["outcome"], grows["kind"]) == ("grows", "fails", "linear")
    assert (raises["outcome"], ignores["outcome"]) == ("failed", "failed")
    assert "ValueError: no 2000" in raises["because"]
    assert "in raises" in raises["output"]
    assert [raises[key] for key in ("verdict", "kind", "metric", "fails_at", "points")] == [None] * 4 + [[]]
    suite = ET.parse(jobs / "proofs.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "1", "2")
    assert [len(case.findall("failure")) + 2 * len(case.findall("error")) for case in suite] == [0, 1, 2, 2]
    assert "ValueError: no 2000" in suite[2].find("error").text

    done = flatwater("jobs.py::grows", *SMALL, "-q", "--baseline", "proofs.json", "--json", "-")
    assert (done.code, done.err) == (1, "")
    assert json.loads(done.out)["drifts"] == []


def test_one_scenario_with_a_claim(flatwater, jobs):
    """The whole command of the README; one scenario is one object in JSON; drift for the worse fails what holds."""
    claim = ["--target", "100k", "--budget", "256MiB", "--survive"]
    done = flatwater("jobs:grows", *SMALL, *claim, "--json", "proof.json")
    assert (done.code, done.err) == (0, "")
    data = json.loads((jobs / "proof.json").read_text())
    assert data.keys() >= {
        "verdict", "kind", "metric", "bytes_per_item", "resolution", "projected_peak", "fails_at", "points", "survived",
        "limit_kind",
    }  # fmt: skip
    assert (data["outcome"], data["survived"], data["target"]) == ("holds", True, 100_000)
    assert data["limit_kind"] in {"cgroup v2", "cgroup v1", "rlimit_data"}
    assert data["projected_peak"] == pytest.approx(110 * MIB, rel=0.2)
    assert "survived 256 MiB" in done.out
    data["bytes_per_item"] /= 2
    (jobs / "proof.json").write_text(json.dumps(data))
    done = flatwater("jobs:grows", *SMALL, *claim[:-1], "--baseline", "proof.json")
    assert done.code == 1
    assert "proof.json: " in done.out
    assert "jobs:grows: growth was " in done.out


def test_a_command_in_another_language(flatwater, jobs):
    """The words after the dashes are the command's, whatever they look like; JSON alone is on standard output."""
    done = flatwater(
        "--sizes",
        "8k..128k",  # the smallest is more than the launcher
        "--repeat",
        1,
        "--json",
        "-",
        "--",
        "perl",
        "-e",
        "push @rows, ('x' x 1000) . $_ for 1..$ARGV[0]",
        "{n}",
        "--sizes",
    )
    if "no such command" in done.err:
        pytest.skip("perl is not installed")
    data = json.loads(done.out)
    assert (done.code, data["verdict"], data["kind"]) == (1, "grows", "linear")
    assert 900 < data["bytes_per_item"] < 2_500
    assert "grows (linear)" in done.err


def test_undecided_is_three(flatwater, jobs, monkeypatch):
    """Where nobody knows, the exit code says so, and the reason stands in the last line."""
    monkeypatch.setattr(limits, "PROOF_DOUBLINGS_MAX", 0)
    done = flatwater("jobs.py::flat", "--sizes", "8..128")
    assert done.code == 3
    assert done.out.splitlines()[-1].startswith("  undecided   ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "there is nothing to prove. Name a function: flatwater prove jobs.py::load"),
        (["--"], "there is no command after '--'."),
        (["jobs.py::flat", "--", "ls", "{n}"], "name functions, or a command after '--', not both."),
        (["--", "ls"], "the command 'ls' has no {n} in it. Write {n} where"),
        (["--", "no-such-command", "{n}"], "no-such-command {n} cannot be started: 'no-such-command': no such command."),
        (["--", "/etc/hostname", "{n}"], "/etc/hostname {n} cannot be started: '/etc/hostname' cannot be run"),
        (["--", "", "{n}"], "there is no command to run"),
        (["jobs.py::flat", "jobs.py::flat"], "the same scenario is named twice."),
        (["jobs.py::nothing"], "has no attribute 'nothing'. Name it as file.py::function"),
        (["nothing_like_it:load"], "cannot be imported: ModuleNotFoundError: No module named 'nothing_like_it'"),
        (["none.py"], "'none.py': there is no such file."),
        (["empty.py"], "no public function has n as its first parameter. Name one: empty.py::function"),
        (["broken.py"], "broken.py cannot be read as Python"),
        (["broken.py::load"], "broken.py::load cannot be imported: SyntaxError"),
        (["jobs.py::ignores"], "it never reads its n."),
        (["jobs.py::flat", "--sizes", "400k..25k"], "'400k..25k' does not rise."),
        (["jobs.py::flat", "--sizes", "1,2,4,3,8"], "3 comes after 4: they must rise."),
        (["jobs.py::flat", "--sizes", ""], "'' is not a count"),
        (["jobs.py::flat", "--target", "0"], "target: '0' is not between 1 and"),
        (["jobs.py::flat", "--budget", "1KiB"], "no program fits into less than 4.0 MiB"),
        (["jobs.py::flat", "--budget", "lots"], "'lots' is not a size; write 256MiB"),
        (["jobs.py::flat", "--metric", "heap"], "'heap' is not one of"),
        (["jobs.py::flat", "--survive"], "--survive needs a budget to survive under: give --budget"),
        (["jobs.py::flat", "--repeat", "0"], "0 is not in the range 1<=x<=100"),
        (["jobs.py::flat", "--timeout", "soon"], "'soon' is not a duration"),
        (["jobs.py::flat", "--timeout", "0"], "more than 0"),
        (["jobs.py::flat", "--resolution", "0"], "at least 1 B"),
        (["jobs.py::flat", "--limit-kind", "magic"], "'magic' is not one of"),
        (["jobs.py::flat", "--setup", "makes"], "setup: 'makes' is not the name of a function"),
        (["--setup", "jobs.py::flat", "--", "ls", "{n}"], "A command prepares its input by itself"),
        (["jobs.py::flat", "--baseline", "none.json"], "'none.json': no such file or directory. Write one with"),
        (["jobs.py::flat", "--baseline", "jobs.py"], "is not a file of proofs"),
        (["jobs.py::flat", "--json", "/no/such/folder/x.json"], "cannot be written"),
        (["jobs.py::flat", "--json", "."], "is a directory"),
        (["jobs.py::flat", "--json", "x", "--junit", "./x"], "both name './x'"),
        (["jobs.py::flat", "--wrong"], "--wrong"),
    ],
)  # fmt: skip
def test_wrong_use_is_two(flatwater, jobs, words, says):
    """What cannot be meant is said in a sentence, without a traceback of ours, before anything is measured."""
    (jobs / "empty.py").write_text("X = 1\n")
    (jobs / "broken.py").write_text("def load(n: return\n")
    done = flatwater(*words)
    assert done.code == 2, done.err
    assert says in " ".join(done.err.split())
    assert done.out == ""
    assert "flatwater/" not in done.err


def test_a_scenario_that_fails_is_four(flatwater, jobs):
    """Its own error output is shown, indented, the last lines of it; also with -q."""
    done = flatwater("-q", *SMALL, "--", "sh", "-c", "seq 1 100 >&2; echo out of rows >&2; exit 3", "{n}")
    assert done.code == 4
    lines = done.err.splitlines()
    assert lines[0].endswith("at n=2,000 ended with exit code 3.")
    assert lines[-1] == "  | out of rows"
    assert len(lines) == 31
    done = flatwater(*SMALL, "--timeout", "300ms", "--", "sleep", "{n}")
    assert (done.code, "did not end in 300 ms and was killed. Does it wait" in done.err) == (4, True)


def test_help_says_what_to_type(flatwater):
    """Three examples that can be copied, the claim, the exit codes, and every option with its default."""
    done = flatwater("--help")
    text = " ".join(done.out.split())
    assert done.code == 0
    for words in (
        "flatwater prove jobs.py::load --sizes 25k..400k --target 10M --budget 256MiB",
        "flatwater prove --sizes 1k..16k -- node job.js {n}",
        "Exit codes: 0 it holds, 1 it does not, 2 wrong use, 3 undecided, 4 the scenario itself failed.",
        "[default: 25k..400k]", "[default: 120s]", "[default: 1; 3 for a command]", "[default: rss]",
    ):  # fmt: skip
        assert words in text
    assert max(map(len, done.out.splitlines())) <= 80


@pytest.mark.slow
def test_a_report_that_cannot_be_written(flatwater, jobs):
    """On a full disk the reason is said, and it is a failure also where nothing else was one."""
    done = flatwater("jobs.py::flat", *SMALL, "-q", "--json", "/dev/full")
    assert done.code == 4
    assert "'/dev/full' could not be written: no space left on device" in done.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shell", "code", "says"),
    [
        ("--json - -q > /dev/full", 4, "no space left on device"),
        (">&-", 0, ""),
        ("2>&-", 0, ""),
        ("<&- >&- 2>&-", 0, ""),
        ("--json - | head -0; exit ${PIPESTATUS[0]}", 0, ""),
    ],
)
def test_closed_and_full_streams(jobs, shell, code, says):
    """Standard streams that are closed, full or gone change no verdict and give no traceback."""
    words = f"{sys.executable} -m flatwater prove jobs.py::flat --sizes 2k..32k {shell}"
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.slow
def test_a_line_on_a_terminal(jobs):
    """While it runs a terminal shows which size; at the end the table is there in colour. Any file of any folder will do."""
    inner = jobs / "my folder"
    inner.mkdir()
    (inner / "my-job.py").write_text(JOBS)
    (inner / "inspect.py").write_text("raise RuntimeError\n")
    pty = pytest.importorskip("pty")
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-m", "flatwater", "prove", "my folder/my-job.py::flat", *SMALL])
    seen = b""
    with contextlib.suppress(OSError):
        while chunk := os.read(terminal, 4096):
            seen += chunk
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert b"my folder/my-job.py::flat: n=" in seen
    assert b"\x1b[32m  holds" in seen


def test_ctrl_c_leaves_nothing(jobs):
    """130, quietly; no process and no temporary folder stay behind."""
    (jobs / "slow.py").write_text(
        "import os, pathlib, time\ndef load(n):\n    pathlib.Path('pid').write_text(str(os.getpid()))\n    time.sleep(1000 * n)\n"
    )
    place = jobs / "tmp"
    place.mkdir()
    command = [sys.executable, "-m", "flatwater", "prove", "slow.py::load"]
    with subprocess.Popen(
        command, env={**os.environ, "TMPDIR": str(place)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        pid = jobs / "pid"
        while not pid.exists() or not pid.read_text():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert not os.path.exists(f"/proc/{pid.read_text()}")
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("command", ["prove", "compare"])
def test_a_signal_leaves_nothing_behind(jobs, command):
    """SIGTERM ends the command and what it runs: no temporary folder, no traceback."""
    (jobs / "slow.py").write_text("import time\ndef one(n): time.sleep(60 + n)\ndef two(n): time.sleep(60 + n)\n")
    (jobs / "tmp").mkdir()
    words = ["slow.py::one"] if command == "prove" else ["slow.py::one", "slow.py::two"]
    environ = {**os.environ, "TMPDIR": str(jobs / "tmp")}
    argv = [sys.executable, "-m", "flatwater", command, *words]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as child:
        until = time.monotonic() + 30
        while not list((jobs / "tmp").glob("*/said")):
            assert time.monotonic() < until
            time.sleep(0.02)
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out) == (143, "")
    assert "Traceback" not in err
    assert list((jobs / "tmp").iterdir()) == []
