import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
JOB = ROOT / "docs" / "examples" / "visits.py"
CLAIM = ["--setup", f"{JOB}::make_log", "--sizes", "10k..160k", "--target", "10M", "--budget", "256MiB"]


def flatwater(*words):
    return subprocess.run(
        [sys.executable, "-m", "flatwater", *words], capture_output=True, text=True, timeout=300, check=False
    )


def test_both_jobs_come_to_the_same_sums(tmp_path):
    """The job of the tutorial computes the same before and after it is mended."""
    job = runpy.run_path(str(JOB))
    job["write_log"](tmp_path / "access.log", 500)
    before, after = job["totals_all"](str(tmp_path / "access.log")), job["totals_stream"](str(tmp_path / "access.log"))
    assert before == after
    assert before.total() > 500


@pytest.mark.slow
def test_the_job_dies_where_the_tutorial_says():
    """As it was written, the job grows by some hundred bytes a row and spends the budget before a million rows."""
    done = flatwater("prove", f"{JOB}::load", *CLAIM)
    assert done.returncode == 1, done.stderr
    assert "grows (linear)" in done.stdout
    assert "it is spent at n=" in done.stdout


@pytest.mark.slow
def test_the_mended_job_holds():
    """As it should be, it is constant, within the budget at ten million rows, and survives under the kernel's limit."""
    done = flatwater("prove", f"{JOB}::stream", *CLAIM, "--survive")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "constant: growth above" in done.stdout
    assert "survived 256 MiB" in done.stdout
