import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
JOB = ROOT / "docs" / "examples" / "visits.py"
CLAIM = ["--setup", f"{JOB}::make_log", "--sizes", "10k..160k", "--target", "10M", "--budget", "256MiB"]


PAGE = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
KEPT = PAGE[PAGE.index("## 5.") :]  # the section about CI


def flatwater(*words, **options):
    command = [sys.executable, "-m", "flatwater", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)


def proving():
    """The words of the section's `flatwater prove`."""
    (command,) = re.findall(r"^flatwater prove .*$", KEPT.replace("\\\n", " "), re.MULTILINE)
    return shlex.split(command)[1:]


@pytest.fixture
def project(tmp_path):
    """The project of the section: the job in its folder, and the test of the page beside it."""
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    shutil.copy(JOB, jobs)
    (jobs / "test_visits.py").write_text(re.search(r"```python\n(.*?)```", KEPT, re.DOTALL)[1])
    return tmp_path


def test_both_jobs_come_to_the_same_sums(tmp_path):
    """The job of the tutorial computes the same before and after it is mended."""
    job = runpy.run_path(str(JOB))
    job["write_log"](tmp_path / "access.log", 500)
    before, after = job["totals_all"](str(tmp_path / "access.log")), job["totals_stream"](str(tmp_path / "access.log"))
    assert before == after
    assert before.total() > 500


def test_ci_proves_what_is_checked_in():
    """The step has the name, sizes and claim of the command whose figures it compares with: else it would compare nothing."""
    step = dict(re.findall(r"^ +([a-z]+): (.+)$", re.search(r"```yaml\n(.*?)```", KEPT, re.DOTALL)[1], re.MULTILINE))
    words = proving()
    said = dict(zip(words[2::2], words[3::2], strict=True))
    assert words[1] == step["scenarios"]
    assert f"--setup {said['--setup']}" == step["arguments"]
    assert [said[f"--{name}"] for name in ("sizes", "target", "budget")] == [
        step["sizes"], step["target"], step["budget"],
    ]  # fmt: skip
    assert said["--json"] == step["baseline"]


def test_the_tests_of_the_page_are_found(project):
    """The job can be imported from the place that the page names."""
    command = [sys.executable, "-m", "pytest", "jobs/test_visits.py", "--collect-only", "-q"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    assert "jobs/test_visits.py::test_the_sums_hold_one_row" in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(320)
def test_the_test_of_the_page_passes(project):
    """As it stands on the page, with the command that the page names."""
    command = re.search(r"^python (-m pytest .*)$", KEPT, re.MULTILINE)[1].split()
    done = subprocess.run(
        [sys.executable, *command], cwd=project, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.slow
def test_the_figures_of_the_page_are_compared(project):
    """Proved again, they are compared with the file that was checked in."""
    words = proving()
    first = flatwater(*words, cwd=project)
    assert first.returncode == 0, first.stdout + first.stderr
    again = flatwater(*["--baseline" if word == "--json" else word for word in words], cwd=project)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "nothing drifted" in again.stdout


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
