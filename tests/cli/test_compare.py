"""cli.compare: `flatwater compare`, as a user types it."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from unittest import mock

import click
import pytest

from flatwater.cli import compare as cli_compare
from flatwater.cli import main
from flatwater.proof import comparing

ROOT = Path(__file__).parent.parent.parent
HELPERS = runpy.run_path(str(ROOT / "tests" / "proof" / "compared.py"))
FORMULAS, Formula = HELPERS["FORMULAS"], HELPERS["Formula"]
MIB = 1 << 20
JOBS = """
def load(n):
    rows = [str(i) * 3 for i in range(n)]
    return len(rows)

def stream(n):
    return sum(len(str(i) * 3) for i in range(n))

def dies(n):
    raise ValueError(f"bad row of {n}")

def other(n, extra):
    return n
"""


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    """A folder with scenarios, which is the current one."""
    (tmp_path / "jobs.py").write_text(JOBS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(jobs, capsys):
    """Runs the command in this process, with figures from formulas by scenario: `(exit code, stdout, stderr)`."""

    def go(*words, formulas=None):
        FORMULAS.clear()
        FORMULAS.update({"jobs.py::load": lambda n: 400 * n, "jobs.py::stream": lambda n: MIB, **(formulas or {})})
        with mock.patch.object(comparing, "Measurer", Formula), pytest.raises(SystemExit) as ended:
            main.main(["compare", *map(str, words)])
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return go


def flatwater(*words, **options):
    command = [sys.executable, "-m", "flatwater", "compare", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False, **options)


def test_real_processes(jobs):
    """A list beside a stream: the table, the ratio, the forecast, and exit code 0; the JSON has the same."""
    done = flatwater(
        "all=jobs.py::load", "stream=jobs.py::stream", "--sizes", "10k..160k", "--target", "10M", "--budget", "256MiB",
        "--json", "figures.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"all +[\d.]+ MiB .* grows \(linear\) +1x", done.stdout)
    assert re.search(r"stream +[\d.]+ MiB .* constant +at least \d+x", done.stdout)
    assert re.search(r"256 MiB are spent at n=\d,\d{3},\d{3}", done.stdout)
    assert "holds" in done.stdout.splitlines()[-1]
    data = json.loads((jobs / "figures.json").read_text())
    assert [each["verdict"] for each in data["scenarios"]] == ["grows", "constant"]


@pytest.mark.slow
def test_commands_and_one_that_dies(jobs):
    """Commands of any language stand beside each other; one that dies is shown with what it printed, the others stay."""
    (jobs / "ok.py").write_text("import sys\nprint(sum(i * i for i in range(int(sys.argv[1]))))\n")
    (jobs / "bad.py").write_text("import sys\nassert int(sys.argv[1]) < 80_000, 'too many rows'\n")
    ok, bad = (f"{sys.executable} {name}.py {{n}}" for name in ("ok", "bad"))
    done = flatwater(f"ok={ok}", f"bad={bad}", f"again={ok}", "--sizes", "20k..320k", "--repeat", "1")
    assert done.returncode == 4, done.stdout + done.stderr
    assert re.search(r"again .* constant +same", done.stdout)
    assert re.search(r"bad .* failed +-", done.stdout)
    assert "AssertionError: too many rows" in done.stderr
    assert "whole peaks" in done.stdout


@pytest.mark.slow
def test_the_example_of_the_documentation(tmp_path):
    """docs/examples/compare_jobs.py: collecting grows, batches do not, and both do the same work."""
    done = flatwater(
        "collect=docs/examples/compare_jobs.py::collect", "batches=docs/examples/compare_jobs.py::batches",
        "--setup", "docs/examples/compare_jobs.py::make_cache", "--sizes", "20k,30k,40k,60k,80k", "--target", "10M", "--budget", "256MiB",
        "--json", tmp_path / "figures.json", cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    collect, batches = json.loads((tmp_path / "figures.json").read_text())["scenarios"]
    assert (collect["verdict"], batches["verdict"]) == ("grows", "constant")
    assert 300 < collect["bytes_per_item"] < 700
    assert batches["times_less"] > 3


@pytest.mark.parametrize(
    ("words", "code", "outcome"),
    [
        ([], 0, "holds"),
        (["--target", "10M", "--budget", "64MiB"], 0, "holds"),
        (["--sizes", "10,20,40,80,160"], 3, "undecided"),
    ],
)
def test_exit_codes(run, words, code, outcome):
    """0 holds, 3 undecided."""
    got, out, _err = run("a=jobs.py::load", "b=jobs.py::stream", *words)
    assert got == code
    assert out.splitlines()[-1].split()[0] == outcome


def test_exit_code_1(run):
    """What comes after the first grows."""
    code, out, _err = run("b=jobs.py::stream", "a=jobs.py::load")
    assert code == 1
    assert "a: memory grows with n by 400 B per item" in out.splitlines()[-1]


def test_names_are_optional(run):
    """Without a name a scenario is called as it is written."""
    code, out, _err = run("jobs.py::load", "jobs.py::stream")
    assert code == 0
    assert "jobs.py::stream does not grow, and takes no more than jobs.py::load." in out


@pytest.mark.parametrize(
    ("text", "name", "argv"),
    [
        ("after=node after.js {n}", "after", ("node", "after.js", "{n}")),
        ("node after.js {n}", "node after.js {n}", ("node", "after.js", "{n}")),
        ("a=env ROWS={n} job 'two words'", "a", ("env", "ROWS={n}", "job", "two words")),
        ("./job{n}", "./job{n}", ("./job{n}",)),
        ("a= node  x.js {n} ", "a", ("node", "x.js", "{n}")),
    ],
)
def test_commands_are_split(text, name, argv):
    """A text with {n} is a command, split as a shell would; its name is before the first '='."""
    context = click.Context(cli_compare.command)
    named = cli_compare._named(context, (text, "b=jobs:load"))
    assert named[name].argv == argv


def test_a_long_command_has_a_short_name():
    """Its beginning, in one line."""
    context = click.Context(cli_compare.command)
    first, _second = cli_compare._named(context, (f"node\n{'x' * 300} {{n}}", "b=jobs:load"))
    assert len(first) == comparing.NAME_LETTERS_MAX
    assert first.startswith("node xxx")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "there is no scenario; a comparison takes two or more"),
        (["a=jobs.py::load"], "there is one scenario; a comparison takes two or more"),
        (["a=jobs.py::load", "a=jobs.py::stream"], "'a' is there twice"),
        (["jobs.py::load", "jobs.py::load"], "is there twice. Give each a name"),
        (["a=jobs.py::load", "b="], "scenario 'b' is empty"),
        (["a=jobs.py::load", "b=nothing.py::load"], "scenario 'b': 'nothing.py': there is no such file"),
        (["a=jobs.py::load", "b=jobs.py"], "scenario 'b': 'jobs.py' is not the name of a function"),
        (["a=jobs.py::load", "b=node job.js"], "has no {n} in it"),
        (["a=jobs.py::load", "b=node 'job.js {n}"], "cannot be split into words: no closing quotation"),
        (["a=jobs.py::load", "b=node job.js {n}", "--setup", "jobs.py::load"], "setup goes with functions"),
        (["a=jobs.py::load", "b=jobs.py::stream", "--sizes", "3..1"], "does not rise"),
        (["a=jobs.py::load", "b=jobs.py::stream", "--sizes", "1k,2k"], "a verdict needs 5 or more"),
        (["a=jobs.py::load", "b=jobs.py::stream", "--repeat", "0"], "repeat=0"),
        (["a=jobs.py::load", "b=jobs.py::stream", "--budget", "1"], "no program fits"),
        (["a=jobs.py::load", "b=jobs.py::stream", "--target", "many"], "target"),
        (["a=jobs.py::load", "b=jobs.py::stream", "--json", "-", "--html", "-"], "cannot both go to standard output"),
        (["a=jobs.py::load", "b=jobs.py::stream", "--chart", "-"], "name a file"),
        (["a=jobs.py::load", "b=jobs.py::stream", "--chart", "x.pdf"], "the picture is a PNG"),
        (["a=jobs.py::load", "b=jobs.py::stream", "--html", "none/x.html"], "--html"),
        (["a=jobs.py::load", "b=jobs.py::stream", "--html", "x", "--json", "x"], "one would overwrite the other"),
        (["a=jobs.py::load", "b=jobs.py::stream", "--survive"], "No such option"),
    ],
)
def test_wrong_use(run, words, message):
    """Exit code 2, a sentence, and nothing was run."""
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
    assert "Traceback" not in err


def test_files(run, jobs):
    """JSON, a page and a picture, each whole; the table is on standard output as ever."""
    code, out, err = run(
        "a=jobs.py::load", "b=jobs.py::stream", "--json", "x.json", "--html", "x.html", "--chart", "x.PNG"
    )
    assert (code, err) == (0, "")
    assert "flatwater compare: 2 scenarios" in out
    assert json.loads((jobs / "x.json").read_text())["outcome"] == "holds"
    assert "<svg" in (jobs / "x.html").read_text("utf-8")
    assert (jobs / "x.PNG").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_to_standard_output(run, option):
    """The file alone is on standard output, the table on standard error."""
    code, out, err = run("a=jobs.py::load", "b=jobs.py::stream", option, "-")
    assert code == 0
    assert out.startswith("{" if option == "--json" else "<!doctype html>")
    assert "flatwater compare: 2 scenarios" in err


def test_quiet(run, jobs):
    """Nothing is printed; the exit code says it."""
    assert run("a=jobs.py::load", "b=jobs.py::stream", "-q", "--json", "x.json") == (0, "", "")
    assert run("b=jobs.py::stream", "a=jobs.py::load", "-q") == (1, "", "")


@pytest.mark.slow
def test_what_failed_is_said(jobs):
    """A scenario that raises shows its traceback, exit 4; names and commands that are none are wrong use, exit 2."""
    done = flatwater("a=jobs.py::load", "b=jobs.py::dies", "-q")
    assert (done.returncode, done.stdout) == (4, "")
    assert "flatwater: b: dies at n=25,000 failed" in done.stderr or "b: jobs.py::dies at n=25,000" in done.stderr
    assert "ValueError: bad row of 25000" in done.stderr
    wrong = flatwater("a=jobs.py::nothing", "b=jobs.py::other", "-q")
    assert wrong.returncode == 2, wrong.stderr
    assert "no attribute 'nothing'" in wrong.stderr
    gone = flatwater("a=no-such-command {n}", "b=no-such-command-2 {n}", "-q")
    assert gone.returncode == 2
    assert "no such command" in gone.stderr


def test_a_chart_without_matplotlib(run):
    """Said before anything runs, with what to install."""
    with mock.patch("importlib.util.find_spec", return_value=None):
        code, out, err = run("a=jobs.py::load", "b=jobs.py::stream", "--chart", "x.png")
    assert (code, out) == (2, "")
    assert "flatwater[report]" in err


def test_help_says_when_it_holds(run):
    """And what the exit codes are."""
    code, out, _err = run("--help")
    assert code == 0
    assert "It holds if every scenario after the first" in out
    assert "Exit codes: 0 holds, 1 does not hold" in out
