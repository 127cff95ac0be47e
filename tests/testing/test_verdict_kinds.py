"""testing.verdict: every kind of marked test, in one session over two xdist workers that all tests here read."""

from __future__ import annotations

import re

import pytest

KIB, MIB = 1 << 10, 1 << 20
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # a process for each point, on a busy machine too

TESTS = """
import os
import pytest

MIB = 1 << 20
KEPT = []

def rows_of(n):
    return [str(number) for number in range(n)]

@pytest.mark.mem_max("16 MiB")
def test_below():
    held = b"1" * (8 * MIB)

@pytest.mark.mem_max("16 MiB")
def test_above():
    held = b"1" * (24 * MIB)

@pytest.fixture(scope="session")
def left():
    rows = rows_of(200_000)
    kept = rows[::200]
    return kept

@pytest.mark.mem_max("4 MiB")
def test_hidden(left):
    held = rows_of(20_000)

@pytest.mark.mem_max("64 MiB")
@pytest.mark.mem_constant(sizes="20k..320k")
def test_grows(n):
    assert len(rows_of(n)) == n

@pytest.fixture
def numbers(n):
    return range(n)

class TestFlat:
    @pytest.mark.mem_constant(sizes="20k..320k")
    @pytest.mark.parametrize("step", [1], ids=["a b/c::d-\\u00e9]["])
    async def test_flat(self, n, numbers, step):
        assert sum(number for number in numbers) == n * (n - 1) // 2

@pytest.mark.mem_no_leaks(rounds=3)
def test_leaks():
    KEPT.append([1])

class Connection:
    def __init__(self):
        self.rows = []

@pytest.fixture
def connection():
    return Connection()

@pytest.mark.mem_no_leaks(rounds=3)
def test_leaks_into_a_fixture(connection):
    connection.rows.append([1])

@pytest.mark.mem_no_leaks(rounds=3)
async def test_leaks_nothing():
    held = [1]

@pytest.mark.mem_max("16 MiB")
def test_asserts():
    print("printed before")
    rows = {"a": 2}
    assert rows == {"a": 1}

@pytest.fixture
def broken():
    raise LookupError("no such table")

@pytest.mark.mem_max("16 MiB")
def test_broken_fixture(broken):
    pass

@pytest.fixture
def broken_after():
    yield
    raise LookupError("no such index")

@pytest.mark.mem_max("16 MiB")
def test_broken_teardown(broken_after):
    pass

@pytest.mark.mem_max("16 MiB")
def test_skips():
    pytest.skip("no database here")

@pytest.mark.mem_max("16 MiB")
@pytest.mark.skip(reason="never")
def test_skipped_by_mark():
    os._exit(9)

@pytest.mark.mem_max("16 MiB")
@pytest.mark.xfail(raises=LookupError, strict=True)
def test_xfails():
    raise LookupError

@pytest.mark.mem_max("16 MiB")
@pytest.mark.xfail(raises=LookupError, strict=True)
def test_xfails_with_another():
    raise ValueError("another")

@pytest.mark.mem_max("2 MiB")
@pytest.mark.xfail(strict=True, reason="large as yet")
def test_xfails_by_memory():
    held = b"1" * (8 * MIB)

@pytest.mark.mem_max("16 MiB")
@pytest.mark.xfail(strict=True)
def test_passes_against_expectation():
    pass

@pytest.mark.mem_max("16 MiB")
def test_dies():
    os._exit(9)
"""


@pytest.fixture(scope="module")
def seen(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("verdict")
    folder.joinpath("test_it.py").write_text(TESTS)
    return run(folder, "-n", "2", "--strict-markers", "-rA")


def test_a_limit_is_kept(seen):
    """A peak below the limit passes, and is a property in the JUnit file."""
    assert seen.outcome("test_below") == "passed"
    took = int(seen.cases["test_below"].properties["mem_peak_above_start_bytes"])
    assert abs(took - 8 * MIB) <= 512 * KIB


def test_a_limit_is_passed(seen):
    """A peak above the limit fails, and says by how much."""
    assert seen.outcome("test_above") == "failed"
    words = seen.words("test_above")
    assert re.search(r"above the start of the call, of a limit of 16.0 MiB: [78].\d MiB \((4|5)\d%\) too much", words)
    assert "before the call" in words


def test_memory_freed_by_a_set_up_is_no_pass(seen):
    """Growth that may have gone into what a fixture had freed is undecided, and that is a failure."""
    assert seen.outcome("test_hidden") == "failed"
    assert "undecided, and that is no pass" in seen.words("test_hidden")
    assert "that were free before it may have been used again" in seen.words("test_hidden")


def test_growth_that_a_fixed_limit_does_not_see(seen):
    """A test whose n is small enough for mem_max fails mem_constant, with the table and the forecast; mem_max says nothing."""
    assert seen.outcome("test_grows") == "failed"
    words = seen.words("test_grows")
    assert "memory grows with n by" in words
    assert "(linear)" in words
    for size in ("20,000", "40,000", "80,000", "160,000", "320,000"):
        assert size in words
    assert "mem_max" not in words
    assert seen.cases["test_grows"].properties["mem_verdict"] == "grows"


def test_a_flat_test_passes(seen):
    """An async, parametrised method with an odd id and a fixture that takes n is proved constant."""
    name = next(name for name in seen.cases if name.startswith("test_flat"))
    assert seen.outcome(name) == "passed", seen.words(name)
    assert seen.cases[name].properties["mem_verdict"] == "constant"


def test_leaks(seen):
    """A list that is longer after each round is named; a test that keeps nothing passes."""
    assert seen.outcome("test_leaks") == "failed"
    assert "test_it.KEPT" in seen.words("test_leaks")
    assert seen.outcome("test_leaks_nothing") == "passed", seen.words("test_leaks_nothing")


def test_a_leak_into_a_fixture_is_named_after_it(seen):
    """What grows in a fixture's value is reached by the fixture's name."""
    assert seen.outcome("test_leaks_into_a_fixture") == "failed"
    assert "the test.connection.rows (list) is 1 entry longer" in seen.words("test_leaks_into_a_fixture")


def test_a_failing_assertion_shows_itself(seen):
    """The test's own lines, the explained assertion and what it printed are in the report."""
    assert seen.outcome("test_asserts") == "failed"
    words = seen.words("test_asserts")
    assert 'assert rows == {"a": 1}' in words
    assert "{'a': 2} != {'a': 1}" in words
    assert "flatwater" not in words
    assert "printed before" in seen.text
    assert "This was the call of the test, in a process of its own." in seen.text


@pytest.mark.parametrize(("name", "words"), [("fixture", "no such table"), ("teardown", "no such index")])
def test_a_broken_fixture_fails(seen, name, words):
    """A fixture that raises before or after the call fails the test, with its own traceback."""
    assert seen.outcome(f"test_broken_{name}") == "failed"
    assert f"LookupError: {words}" in seen.words(f"test_broken_{name}")


def test_skips_stay_skips(seen):
    """A skip in the test and a skip by mark are skips, with their reasons."""
    assert seen.outcome("test_skips") == "skipped"
    assert "no database here" in seen.words("test_skips")
    assert seen.outcome("test_skipped_by_mark") == "skipped"


def test_xfails_mean_what_they_always_mean(seen):
    """What is expected to fail may fail, by its own error or by its memory; another error and a strict pass fail."""
    assert seen.outcome("test_xfails") == "skipped"
    assert seen.outcome("test_xfails_by_memory") == "skipped"
    assert seen.outcome("test_xfails_with_another") == "failed"
    assert "ValueError: another" in seen.words("test_xfails_with_another")
    assert seen.outcome("test_passes_against_expectation") == "failed"
    assert "XPASS(strict)" in seen.words("test_passes_against_expectation")


def test_a_dead_process_is_told(seen):
    """A test whose process ends before it did fails with the exit code."""
    assert seen.outcome("test_dies") == "failed"
    assert "exit code 9" in seen.words("test_dies")
