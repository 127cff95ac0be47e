"""testing.lending: the fixture `budget`."""

from __future__ import annotations

import pytest

import flatwater as fw

pytestmark = pytest.mark.timeout(600)  # a session in a process of its own, on a busy machine too

TESTS = """
import asyncio
import pytest
import flatwater as fw

def test_ambient(budget):
    assert fw.Budget.current() is budget
    assert budget.limit == 64 << 20
    with budget.reserve("1 MiB", "rows"):
        pass

@pytest.mark.mem_budget("1 MiB")
def test_refused(budget):
    with pytest.raises(fw.errors.BudgetExceeded):
        budget.reserve("2 MiB", "rows")

KEPT = []

def test_kept(budget):
    KEPT.append(budget.reserve("1 MiB", "rows.cache"))

def test_failed_first(budget):
    held = budget.reserve("1 MiB", "rows")
    assert held is None

def test_skips_inside(budget):
    held = budget.reserve("1 MiB", "rows")
    pytest.skip("no rows today")

def test_gives_up_inside(budget):
    held = budget.reserve("1 MiB", "rows")
    pytest.xfail("as yet")

@pytest.mark.xfail
def test_fails_as_expected(budget):
    held = budget.reserve("1 MiB", "rows")
    assert held is None

@pytest.mark.mem_budget("1 MiB")
@pytest.mark.parametrize("size", [pytest.param(2, marks=pytest.mark.mem_budget("2 MiB"))])
def test_of_a_parameter(budget, size):
    assert budget.limit == size << 20

@pytest.mark.mem_budget("much")
def test_no_size(budget):
    pass

@pytest.mark.mem_budget
def test_nothing_given(budget):
    pass
"""


@pytest.fixture(scope="module")
def seen(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lending")
    folder.joinpath("test_it.py").write_text(TESTS)
    return run(folder, "-o", "mem_budget=64 MiB", "--strict-markers")


def test_it_is_ambient(seen):
    """Parts find the fixture's budget around them; its size is the ini option's or the mark's."""
    assert seen.outcome("test_ambient") == "passed"
    assert seen.outcome("test_refused") == "passed"


def test_what_is_kept_is_named(seen):
    """A reservation that outlives the test is an error, with the holder's name."""
    assert seen.outcome("test_kept") == "error"
    assert "1.0 MiB of the fixture budget were not given back" in seen.words("test_kept")
    assert "rows.cache" in seen.words("test_kept")


def test_a_failure_is_told_once(seen):
    """A test that failed is not blamed for what its traceback holds."""
    assert seen.outcome("test_failed_first") == "failed"
    assert "not given back" not in seen.words("test_failed_first")


@pytest.mark.parametrize("name", ["test_skips_inside", "test_gives_up_inside", "test_fails_as_expected"])
def test_what_did_not_come_to_its_end_is_not_blamed(seen, name):
    """Skips and expected failures stay what they are, though their tracebacks keep reservations."""
    assert seen.outcome(name) == "skipped"
    assert "not given back" not in seen.words(name)


def test_the_mark_of_a_parameter_is_closer(seen):
    """A set of parameters with a size of its own has that size."""
    assert seen.outcome("test_of_a_parameter") == "passed"


def test_wrong_sizes(seen):
    """A size that is none is an error of the test that asks for it."""
    assert "mem_budget: limit: 'much' is not a size" in seen.words("test_no_size")
    assert "mem_budget takes one size" in seen.words("test_nothing_given")


def test_in_this_session(budget):
    """The default is 256 MiB."""
    assert budget.limit == 256 << 20
    assert fw.Budget.current() is budget
