"""testing.top: `pytest --mem-top`."""

from __future__ import annotations

import pytest

from flatwater.testing import plugin, top

pytestmark = pytest.mark.timeout(600)  # sessions in processes of their own, on a busy machine too

TESTS = """
import pytest

@pytest.mark.parametrize("number", range(20))
def test_small(number):
    pass

def test_large():
    held = b"1" * (48 << 20)

@pytest.fixture
def rows():
    return b"1" * (32 << 20)

def test_with_a_set_up(rows):
    pass
"""


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_the_largest_are_listed(workers, session):
    """The tests that grew most are named in order, set-up included; from workers too, and without any mark."""
    seen = session(TESTS, "--mem-top", "3", "-n", workers)
    assert seen.code == 0, seen.text
    lines = seen.text[seen.text.index("the 3 tests that grew most") :].splitlines()
    assert "test_it.py::test_large" in lines[2]
    assert 47 <= float(lines[2].split()[0]) <= 52
    assert "test_it.py::test_with_a_set_up" in lines[3]
    assert "an indication only" in seen.text


class Config:
    """As much of pytest's as is asked for."""

    def __init__(self, mem_top):
        self.option = type("Option", (), {"mem_top": mem_top})()

    def addinivalue_line(self, name, line):
        assert name == "markers"


@pytest.mark.parametrize("count", [-3, 1001])
def test_a_wrong_count_is_refused(count):
    """Numbers that make no table are wrong use."""
    with pytest.raises(pytest.UsageError, match="a number from 1 to 1,000"):
        plugin.pytest_configure(Config(count))


def test_marked_tests_show_what_their_points_took():
    """A figure from a process of its own says so."""
    line = top.table([(1 << 20, "test_it.py::test_one", 0, "in a process of its own")])[1]
    assert line.split() == ["1.0", "MiB", "-", "test_it.py::test_one", "(in", "a", "process", "of", "its", "own)"]


def test_without_tests_there_is_no_table():
    """--collect-only with --mem-top prints nothing about memory."""
    top.Top(3).pytest_terminal_summary(terminalreporter=None)
