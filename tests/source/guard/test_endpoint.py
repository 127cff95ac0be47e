"""What docs/guard.md shows: the endpoint that dies, and the one that answers 413; its snippets run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "guard.md"


def run_endpoint(*words):
    """The example where 64 MiB are to be had."""
    flatwater = [sys.executable, "-m", "flatwater", "run", "--quiet", "--budget", "64MiB", "--"]
    program = [sys.executable, str(ROOT / "docs" / "examples" / "guard_endpoint.py"), *words]
    return subprocess.run(flatwater + program, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a kernel limit holds the budget")
def test_without_the_guard_one_request_kills_the_server():
    """The first customer is answered; the request for all of them ends the process, and nobody else is answered."""
    done = run_endpoint("200000")
    assert done.returncode != 0, done.stdout
    assert "200 with" in done.stdout
    assert "customer+8" not in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a kernel limit holds the budget")
def test_with_the_guard_it_answers_413():
    """The same request is refused, and the next one is answered."""
    done = run_endpoint("200000", "--guarded")
    assert done.returncode == 0, done.stderr
    one, everything, other = done.stdout.splitlines()
    assert "200 with" in one
    assert "413 more than 1,000" in everything
    assert "200 with" in other


def test_the_example_answers_413():
    """In a small table, too, and without a budget."""
    program = [sys.executable, str(ROOT / "docs" / "examples" / "guard_endpoint.py"), "2000"]
    done = subprocess.run([*program, "--guarded"], capture_output=True, text=True, timeout=60, check=False)
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["200", "413", "200"], done.stderr


def snippets():
    """The blocks of the page that say they run, by number."""
    blocks = re.findall(r"```python\n(# runs.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 2
    return blocks


@pytest.mark.parametrize("block", snippets(), ids=lambda block: block.splitlines()[0].removeprefix("# runs: "))
def test_the_pages_snippets_run(block, tmp_path, monkeypatch):
    """Each does what its asserts say."""
    monkeypatch.chdir(tmp_path)
    code = block.replace("fw.page_guard", "page_guard").replace(
        "import flatwater as fw", "import flatwater as fw\nfrom flatwater.source.guard import page_guard"
    )
    exec(compile(code, str(PAGE), "exec"), {"__name__": "snippet"})
