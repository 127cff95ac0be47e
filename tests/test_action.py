"""action.yml: the step of GitHub Actions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ACTION = (Path(__file__).parents[1] / "action.yml").read_text("utf-8")
GITHUB_BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]  # what `shell: bash` stands for
DEFAULTS = {"SIZES": "25k..400k", "JUNIT": "flatwater-proof.xml", "JSON": "flatwater-proof.json"}
EMPTY = ("SCENARIOS", "TARGET", "BUDGET", "BASELINE", "ARGUMENTS")


def script():
    """The text of the last step's `run: |`."""
    return textwrap.dedent(ACTION.split("run: |\n")[-1])


@pytest.fixture
def step(tmp_path):
    """`step(code, **inputs)` runs it with a Python that prints its words; code, words, summary, output."""
    folder = tmp_path / "bin"
    folder.mkdir()
    summary = tmp_path / "summary"

    def run(code=0, *, python=None, **inputs):
        fake = folder / "python"
        if python is None:
            fake.write_text(
                f"#!/bin/sh\nfor word; do printf '<%s>' \"$word\"; done\necho\necho trouble >&2\nexit {code}\n"
            )
        else:
            fake.write_text(f'#!/bin/sh\nexec {python} "$@"\n')
        fake.chmod(0o755)
        environment = {
            **os.environ, **dict.fromkeys(EMPTY, ""), **DEFAULTS, **inputs,
            "PATH": f"{folder}:{os.environ['PATH']}", "GITHUB_STEP_SUMMARY": str(summary),
        }  # fmt: skip
        done = subprocess.run(
            [*GITHUB_BASH, "-c", script()], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        return done, re.findall("<(.*?)>", done.stdout), summary.read_text()

    return run


def test_it_is_an_action():
    """Name, inputs that are all used, a composite run; no input is pasted into a script, and no tab stands in it."""
    assert re.search("^name: .+", ACTION, re.MULTILINE)
    assert re.search("^  using: composite$", ACTION, re.MULTILINE)
    assert "\t" not in ACTION
    inputs = re.findall(r"^  ([a-z]+):$", ACTION.split("inputs:")[1].split("runs:")[0], re.MULTILINE)
    assert "scenarios" in inputs
    for name in inputs:
        assert f"${{{{ inputs.{name} }}}}" in ACTION
        assert f"    description: [{name}]" not in ACTION
    assert "${{" not in script()
    assert ACTION.count("shell: bash") == ACTION.count("    - name: ")
    for line in ACTION.splitlines():
        match = re.match(r" +(description|default): (.*)", line)
        if match and not match[2].startswith('"'):  # a plain scalar of YAML
            assert ": " not in match[2]
            assert " #" not in match[2]


def test_the_words_of_the_command(step):
    """Every input becomes the words of flatwater prove; those that are empty become none."""
    done, words, summary = step(SCENARIOS="jobs.py::load  jobs.py")
    assert done.returncode == 0
    assert words == [
        "-P", "-m", "flatwater", "prove", "jobs.py::load", "jobs.py", "--sizes", "25k..400k",
        "--junit", "flatwater-proof.xml", "--json", "flatwater-proof.json",
    ]  # fmt: skip
    assert summary.startswith("```\n<-P>")
    assert "trouble\n```\n" in summary


def test_all_inputs(step):
    """Several lines of scenarios, a claim, a baseline, further options; an input cannot become a command of the shell."""
    done, words, _summary = step(
        SCENARIOS="a.py::f\nb.py::g\n", TARGET="10M", BUDGET="256 MiB", BASELINE="my proofs.json",
        ARGUMENTS="--survive --setup $(touch${IFS}bad) ; `touch bad`",
    )  # fmt: skip
    assert done.returncode == 0
    assert words[4:6] == ["a.py::f", "b.py::g"]
    assert words[12:] == [
        "--target", "10M", "--budget", "256 MiB", "--baseline", "my proofs.json",
        "--survive", "--setup", "$(touch${IFS}bad)", ";", "`touch", "bad`",
    ]  # fmt: skip


def test_a_command_in_another_language(step):
    """Without scenarios, the words after the dashes come last."""
    _done, words, _summary = step(ARGUMENTS="--repeat 1 -- node job.js {n}")
    assert words[4] == "--sizes"
    assert words[-6:] == ["--repeat", "1", "--", "node", "job.js", "{n}"]


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_its_exit_code_is_the_proofs(step, code):
    """A claim that does not hold fails the job, and the summary is written all the same."""
    done, _words, summary = step(code, SCENARIOS="jobs.py")
    assert done.returncode == code
    assert summary.count("```") == 2


@pytest.mark.slow
def test_a_real_proof(step, tmp_path):
    """With the real command: a leak fails the job, and the reports are there."""
    (tmp_path / "jobs.py").write_text("def load(n): return [bytes(1000) for _ in range(n)]\n")
    (tmp_path / "json.py").write_text("raise RuntimeError\n")
    done, _words, summary = step(python=sys.executable, SCENARIOS="jobs.py", SIZES="2k..32k")
    assert done.returncode == 1, done.stdout
    assert "fails       memory grows with n by" in summary
    assert (tmp_path / "flatwater-proof.xml").read_text().count("<failure") == 1
    assert '"verdict": "grows"' in (tmp_path / "flatwater-proof.json").read_text()
