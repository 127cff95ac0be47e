"""testing.verdict: what a marked test comes to; every kind of test is in test_verdict_kinds."""

from __future__ import annotations

import pytest

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


def test_a_refused_item_fails_with_its_words():
    """What is refused fails where it would have been called, without a traceback."""

    class Item:
        pass

    item = Item()
    verdict.refuse(item, "cannot be measured")
    with pytest.raises(pytest.fail.Exception, match="cannot be measured") as caught:
        item.runtest()
    assert not caught.value.pytrace
