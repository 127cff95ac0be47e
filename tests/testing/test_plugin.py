"""testing.plugin: what a session without marks pays, wrong marks, options that must not reach a point."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from flatwater.testing import plugin

pytestmark = pytest.mark.timeout(600)  # sessions in processes of their own, on a busy machine too

LOADED = """
import sys

def pytest_unconfigure(config):
    print("LOADED", *sorted(name for name in sys.modules if name.startswith("flatwater")))
    plugin = config.pluginmanager.getplugin("flatwater")
    print("HOOKS", *sorted(caller.name for caller in config.pluginmanager.get_hookcallers(plugin)))
"""


def test_a_session_without_marks_pays_nothing(session, tmp_path):
    """No floor of Flatwater is imported, no hook runs around a test, and no process starts."""
    (tmp_path / "conftest.py").write_text(LOADED)
    seen = session("def test_one(): pass\n", "-s")
    assert seen.outcome("test_one") == "passed"
    loaded = next(line.split()[1:] for line in seen.text.splitlines() if line.startswith("LOADED"))
    assert loaded == [
        "flatwater", "flatwater.lazy", "flatwater.testing", "flatwater.testing.plugin", "flatwater.testing.session",
        "flatwater.testing.start",
    ]  # fmt: skip
    hooks = next(line.split()[1:] for line in seen.text.splitlines() if line.startswith("HOOKS"))
    assert [name for name in hooks if name.startswith(("pytest_runtest", "pytest_pyfunc", "pytest_fixture"))] == []


def test_the_plugin_is_small():
    """After pytest, importing it brings in nothing but its own few modules."""
    code = (
        "import sys, pytest; before = set(sys.modules); import flatwater.testing.plugin; "
        "print(*sorted(name for name in set(sys.modules) - before if not name.startswith('flatwater')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"pickle", "_pickle", "_compat_pickle", "typing", "struct", "_struct"}


WRONG = """
import pytest

@pytest.mark.{mark}
def test_one({takes}):
    pass
"""
WRONG_MARKS = [
    ("mem_constant(sise='1k..16k')", "n", "got an unexpected keyword argument 'sise'"),
    ("mem_constant(sizes='16k..1k')", "n", "does not rise"),
    ("mem_constant(target='1M')", "n", "target and budget go together"),
    ("mem_max", "", "missing a required argument: 'limit'"),
    ("mem_max('many')", "", "'many' is not a size"),
    ("mem_no_leaks(rounds=1)", "", "rounds=1: a number from 3"),
]


def test_a_wrong_mark_is_an_error_of_collection(session, tmp_path):
    """Each test's own error says what to write; no process is started for it."""
    for number, (mark, takes, _) in enumerate(WRONG_MARKS):
        (tmp_path / f"test_{number}.py").write_text(WRONG.format(mark=mark, takes=takes))
    seen = session("", "--strict-markers", "-p", "no:cacheprovider")
    assert seen.code == 2
    assert "Traceback" not in seen.text
    for number, (_, _, words) in enumerate(WRONG_MARKS):
        assert re.search(rf"test_{number}.py::test_one: .*{re.escape(words)}", seen.text), seen.text


REFUSED = """
import unittest
import pytest

pytestmark = pytest.mark.mem_max("10 MiB")

class TestOld(unittest.TestCase):
    def test_old(self):
        pass

@pytest.mark.mem_constant(sizes="1k..16k")
@pytest.mark.parametrize("n", [1, 2])
def test_given(n):
    pass

@pytest.mark.mem_constant(sizes="1k..16k")
def test_takes_none():
    pass

def test_without_mark(n):
    pass
"""


@pytest.mark.slow
def test_what_cannot_be_measured_fails(session):
    """A unittest.TestCase, an n from parametrize, no n, and an n without the mark that gives it, fail with the reason."""
    seen = session(REFUSED)
    assert seen.outcome("test_old") == "failed"
    assert "cannot measure a method of a unittest.TestCase" in seen.words("test_old")
    assert seen.outcome("test_given[1]") == "failed"
    assert "so does parametrize" in seen.words("test_given[1]")
    assert seen.outcome("test_takes_none") == "failed"
    assert "the test takes no n, the number of items" in seen.words("test_takes_none")
    assert seen.outcome("test_without_mark") == "failed"
    assert "n is the number of items of a test that is marked mem_constant" in seen.words("test_without_mark")


@pytest.mark.mem_max("10 MiB")
def of_two():
    pass


def test_the_mark_of_a_parameter_is_closer(request):
    """A set of parameters with a limit of its own has that limit, and not the function's."""
    item = pytest.Function.from_parent(request.node.parent, name="of_two", callobj=of_two)
    assert plugin.marks_of(item)["mem_max"].args == ("10 MiB",)
    item.callspec = type("Spec", (), {"marks": [pytest.mark.mem_max("40 MiB").mark]})()
    assert plugin.marks_of(item)["mem_max"].args == ("40 MiB",)


CAREFUL = """
import os
import pytest

def pytest_addoption(parser):
    parser.addoption("--color-of", default="none")

def pytest_collection_modifyitems(items):
    for item in items:
        item._nodeid = item.nodeid + "@group"
"""
TESTS = """
import os
import pytest

def test_careless():
    os.environ["LEFT_BEHIND"] = "1"
    os.chdir("/")

@pytest.mark.mem_max("16 MiB")
@pytest.mark.timeout(100)
def test_careful(request, tmp_path, pytestconfig, cache):
    assert request.config.getoption("--color-of") == "test_it.py"
    assert "LEFT_BEHIND" not in os.environ
    assert not [name for name in os.environ if name.startswith("PYTEST_XDIST")]
    assert os.getcwd() == os.environ["START"]
    assert pytestconfig.rootpath.name == os.path.basename(os.environ["START"])
    assert pytestconfig.getini("xfail_strict") is True
    assert tmp_path.is_dir()
    cache.set("a/b", 1)
    print("to the captured stream")
"""


@pytest.mark.slow
def test_options_that_concern_the_session_stay_there(session, tmp_path):
    """-k, -x, -n, --lf, --basetemp, reports and addopts do not reach the point; ini, rootdir and own options do."""
    (tmp_path / "conftest.py").write_text(CAREFUL)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -n 2 --ff\nxfail_strict = true\ntimeout = 90\n")
    base = tmp_path / "base"
    seen = session(
        TESTS, "-x", "-k", "care", "--lf", "--color-of", "test_it.py", "--basetemp", base, "-m", "not slow",
        "--log-file", "log.txt", "--maxfail=3", "-n0", "--durations=3", "--", "test_it.py",
        START=os.fspath(tmp_path), PYTEST_ADDOPTS="-v",
    )  # fmt: skip
    assert seen.outcome("test_careful") == "passed", seen.words("test_careful")
    assert not base.exists()  # nothing in the session asked for it, and the point has another


TIMED = """
import pytest

@pytest.mark.mem_max("16 MiB")
@pytest.mark.timeout(5)
def test_marked():
    pass

@pytest.mark.timeout(5)
def test_unmarked():
    pass
"""
TELLING = """
def pytest_collection_finish(session):
    for item in session.items:
        print("BOUND", item.name, item.get_closest_marker("timeout").args)
"""


def test_pytest_timeout_bounds_one_run_not_all_points(session, tmp_path):
    """In the session the bound of a marked test is off; its points' processes have it."""
    (tmp_path / "conftest.py").write_text(TELLING)
    seen = session(TIMED, "--collect-only", "-q", "-s", "--strict-markers")
    assert "BOUND test_marked (0,)" in seen.text
    assert "BOUND test_unmarked (5,)" in seen.text


OUTSIDE = """
import pytest

@pytest.mark.mem_max("16 MiB")
def test_outside():
    assert False, "of the right file"
"""


@pytest.mark.slow
def test_a_file_outside_the_root_directory(session, tmp_path):
    """A test below a folder with an odd name, outside the root directory, is found again by its point."""
    odd = tmp_path / "odd [1] name"
    odd.mkdir()
    root = tmp_path / "root"
    root.mkdir()
    (odd / "test_outside.py").write_text(OUTSIDE)
    seen = session("", "--rootdir", root, ".")
    assert seen.outcome("test_outside") == "failed"
    assert "of the right file" in seen.words("test_outside")
