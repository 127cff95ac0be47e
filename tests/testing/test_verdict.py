"""testing.verdict: what a marked test comes to; every kind of test is in test_verdict_kinds."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from flatwater.proof.growth import judge
from flatwater.proof.points import Point
from flatwater.proof.result import Proof
from flatwater.testing import verdict

MIB = 1 << 20
TESTS = """
import pytest

@pytest.mark.mem_max("16 MiB")
def test_above():
    held = b"1" * (24 << 20)

@pytest.mark.mem_max("16 MiB")
def test_asserts():
    rows = {"a": 2}
    assert rows == {"a": 1}
"""


@pytest.mark.timeout(600)  # processes one after the other, on a busy machine too
def test_a_limit_and_an_assertion(session):
    """A peak above the limit fails with its figures; a failing assertion shows its own lines."""
    seen = session(TESTS)
    assert "above the start of the call, of a limit of 16.0 MiB" in seen.words("test_above")
    assert 'assert rows == {"a": 1}' in seen.words("test_asserts")
    assert "flatwater" not in seen.words("test_asserts")


def test_undecided_is_no_pass():
    """What is undecided fails, with the reason, the table and what to change."""
    sizes = [20_000, 40_000, 80_000, 160_000, 320_000]
    points = [Point(n, 40 * MIB, 41 * MIB, 39 * MIB, 0, 0.1, 0.1) for n in sizes]
    proof = Proof("test_it.py::test_one", judge(sizes, [MIB] * 5), points, outcome="undecided", because="nobody knows.")
    words = verdict.of_growth(proof)
    assert words.startswith("mem_constant is undecided, and that is no pass: nobody knows.")
    assert "Larger sizes=" in words
    assert "320,000" in words


def test_what_was_free_before_counts():
    """A limit holds only if the growth and what may have been used again stay below it together, at each point."""
    small, large = Point(0, 50 * MIB, 51 * MIB, 45 * MIB, 0, 0, 0), Point(9, 50 * MIB, 51 * MIB, 40 * MIB, 0, 0, 0)
    assert verdict.of_limit(6 * MIB, [small]) == ""
    assert "is undecided" in verdict.of_limit(6 * MIB - 1, [small])
    assert "at n=9 was 10.0 MiB above the start of the call, of a limit of 6.0 MiB: 4.0 MiB (67%) too much" in (
        verdict.of_limit(6 * MIB, [small, large])
    )


@given(number=strategies.integers())
def property_of_numbers(n, number):
    """Its words."""


def test_a_property_is_none_in_the_session(request):
    """Hypothesis's plugin would ask for fixtures there; the item's place and name stay."""
    item = pytest.Function.from_parent(request.node.parent, name="property", callobj=property_of_numbers)
    other = pytest.Function.from_parent(request.node.parent, name="property", callobj=property_of_numbers)
    verdict.take_over(item, None)
    assert not hasattr(item.obj, "hypothesis")
    assert (item.obj.__name__, item.obj.__doc__) == ("property_of_numbers", "Its words.")
    assert item.location == other.location


def test_a_refused_item_fails_with_its_words():
    """What is refused fails where it would have been called, without a traceback."""

    class Item:
        pass

    item = Item()
    verdict.refuse(item, "cannot be measured")
    with pytest.raises(pytest.fail.Exception, match="cannot be measured") as caught:
        item.runtest()
    assert not caught.value.pytrace


PROPERTY = """
import pytest
from hypothesis import given, settings, strategies

@pytest.mark.mem_constant(sizes="20k..320k")
@settings(max_examples=3, deadline=None)
@given(step=strategies.integers(1, 5))
def test_property(n, step):
    assert sum(step for _ in range(n)) == n * step
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_property_is_measured(session):
    """Hypothesis and mem_constant go together, with hypothesis's plugin in the session and in the points."""
    seen = session(PROPERTY, plain=False)
    assert seen.outcome("test_property") == "passed", seen.words("test_property")


SHOWN = """
import pytest

@pytest.mark.mem_max("16 MiB")
def test_below():
    print("printed below")

@pytest.mark.mem_no_leaks(rounds=3)
def test_cycles():
    held = []
    held.append(held)
"""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_passing_tests_show_their_figures(session):
    """With -rP there is the peak of mem_max, what mem_no_leaks noticed, and what the test printed."""
    seen = session(SHOWN, "-rP")
    assert "above the start of the call, of a limit of 16.0 MiB." in seen.text
    assert "printed below" in seen.text
    assert "no leak, but: 1 object a round in cycles" in seen.text
