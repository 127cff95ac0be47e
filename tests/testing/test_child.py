"""testing.child: pytest in the process of one point."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys

import pytest

from flatwater.testing import child, start

pytestmark = pytest.mark.timeout(600)  # pytest in processes of its own, on a busy machine too

TESTS = """
import gc
import pytest

@pytest.fixture
def large():
    made = b"1" * (40 << 20)
    yield made
    b"1" * (60 << 20)

class TestIt:
    @pytest.mark.xfail(strict=True)
    def test_one(self, large):
        held = b"1" * (10 << 20)

def test_other():
    raise SystemError("the other test ran")
"""


def said(folder, names, **more):
    """Run one test as a point; its lines by step, and the exit code."""
    folder.joinpath("test_it.py").write_text(TESTS)
    request = {
        "path": sys.path, "environment": dict(os.environ), "directory": os.fspath(folder),
        "typed": ["-p", "no:hypothesispytest", "-k", "other"], "ours": ["-p", "flatwater.testing.child"], "paths": [],
        "file": os.fspath(folder / "test_it.py"), "id": "-", "names": names, "n": None, "rounds": 0, "warmup": 0,
        **more,
    }  # fmt: skip
    folder.joinpath("request").write_bytes(pickle.dumps(request))
    done = subprocess.run(
        [sys.executable, start.__file__, os.fspath(folder)], capture_output=True, text=True, check=False
    )
    lines = [json.loads(line) for line in folder.joinpath("said").read_text().splitlines()]
    return {line.pop("step"): line for line in lines}, done.returncode


def test_only_the_call_is_measured(tmp_path):
    """What fixtures hold is in the base, what they take before and after is not in the peak; no other test runs."""
    lines, code = said(tmp_path, ["TestIt", "test_one"])
    grown = lines["ended"]["peak"] - lines["began"]["rss"]
    assert 9 << 20 <= grown <= 12 << 20
    assert lines["began"]["rss"] >= 60 << 20
    assert code == 1  # of the strict xfail, which passed
    assert "XPASS" in (tmp_path / "report-call").read_text()
    assert not (tmp_path / "report-setup").exists()


def test_a_test_that_is_not_there(tmp_path):
    """It says that the test was not found."""
    lines, _ = said(tmp_path, ["test_one"])
    assert lines["failed"]["stage"] == "lost"


def test_it_is_for_points_only(tmp_path):
    """Named on a command line it is wrong use, and says so."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", child.__name__],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert "leave out -p flatwater.testing.child" in done.stderr


def test_the_report_that_stands_for_the_test(tmp_path, pytestconfig):
    """A failing subtest stands for its test, a skipped one does not; what a passing call printed is kept as well."""

    class Run:
        folder = tmp_path
        request = {"n": None, "rounds": 0, "file": "", "names": [], "id": ""}  # noqa: RUF012 - of this one test

    def report(outcome, text, **more):
        sections = [("Captured stdout call", "printed")]
        return pytest.TestReport("it", ("it.py", 0, "it"), {}, outcome, text, "call", sections, **more)

    point = child.Point(pytestconfig, Run())
    for given in [report("skipped", "of a part", context=1), report("passed", None, context=1), report("passed", None)]:
        point.pytest_runtest_logreport(given)
    assert [path.name for path in tmp_path.iterdir()] == ["report-passed"]
    assert "printed" in (tmp_path / "report-passed").read_text()
    point.pytest_runtest_logreport(report("failed", "of a part", context=1))
    point.pytest_runtest_logreport(report("failed", "contains 1 failed subtest"))
    assert json.loads((tmp_path / "report-call").read_text())["longrepr"] == "of a part"


def test_names_below_the_file(request):
    """A test is known by its classes and its own name, which no plugin's node ids change."""
    assert child.names_of(request.node) == ["test_names_below_the_file"]
