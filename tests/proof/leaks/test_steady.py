"""proof.leaks.steady: figures that grew each time."""

from __future__ import annotations

import pytest

from flatwater.proof.leaks.steady import Replaced, Steady


def test_only_what_grows_at_each_look_stays():
    """A figure that stands still or falls once is forgotten, whatever it does later."""
    steady = Steady({"up": 1, "once": 1, "saw": 1})
    for up, once, saw in ((2, 2, 2), (3, 2, 1), (9, 8, 7)):
        steady.look({"up": up, "once": once, "saw": saw})
    assert steady.grown() == ["up"]
    assert steady.growths("up") == [1, 1, 6]
    assert (steady.per_round("up"), steady.per_round("once")) == (1, 0)
    assert "up" in steady
    assert "saw" not in steady


def test_what_is_missing_is_zero():
    """A figure that appears grew from nothing, and one that disappears did not grow."""
    steady = Steady({"old": 5})
    steady.look({"new": 2})
    assert steady.grown() == ["new"]
    steady.look({})
    assert steady.grown() == []


def test_only_what_is_asked_for():
    """With `only`, other figures do not count."""
    steady = Steady({"a": 1, "b": 1})
    steady.look({"a": 2, "b": 2}, only=["a"])
    assert steady.grown() == ["a"]
    assert Steady({}).grown() == []


def test_pauses():
    """With a pause at one of four looks a figure has not grown at each, but tells by how much it grew; with two it is gone."""
    steady = Steady({"once": 0, "twice": 0})
    for once, twice in ((5, 5), (10, 10), (15, 15), (15, 15)):
        steady.look({"once": once, "twice": twice})
    assert "once" not in steady
    assert (steady.grown(), steady.growths("once"), steady.per_round("once")) == ([], [], 0)
    assert steady.growths("once", with_pauses=True) == [5, 5, 5, 0]
    steady.look({"once": 20, "twice": 15})
    assert steady.per_round("once", with_pauses=True) == 5
    assert steady.per_round("twice", with_pauses=True) == 0


def sizes_of(*texts):
    """How many of each length."""
    return {("app", size): [len(text) for text in texts].count(size) for size in set(map(len, texts))}


@pytest.mark.parametrize(
    ("others", "lengths", "growth"),
    [
        ([], (5, 6, 7, 8), 1),
        ([900, 6, 6, 7, 8, 8], (5, 6, 7, 8), 1),  # among larger ones, and some that are as large at times
        ([900], (5, 15, 30, 35), 10),
        ([900], (5, 6, 6, 7), 0),
        ([900], (5, 6, 5, 6), 0),
    ],
)
def test_one_object_that_is_replaced_by_a_larger_one(others, lengths, growth):
    """It is found among others of its type, with its growth a round, where it got larger each time."""
    looks = [sizes_of(*("x" * other for other in others), "x" * length) for length in lengths]
    replaced = Replaced(looks[0])
    assert replaced.groups() == {}
    for now in looks[1:]:
        replaced.look(now)
    assert replaced.groups() == ({"app": growth} if growth else {})


def test_a_bounded_buffer_whose_texts_get_longer():
    """Where one short text after the other makes room for one of the usual length, nothing grows."""
    looks = [sizes_of(*["request 9"] * (9 - done), *["request 10"] * done) for done in range(4)]
    replaced = Replaced(looks[0])
    for now in looks[1:]:
        replaced.look(now)
    assert replaced.groups() == {}


def test_a_largest_that_gets_larger():
    """Several that all get larger are found by the largest of them."""
    replaced = Replaced(sizes_of("x" * 5, "x" * 6, "x" * 7))
    for more in (1, 2, 3):
        replaced.look(sizes_of("x" * (5 + more), "x" * (6 + more), "x" * (7 + more)))
    assert replaced.groups() == {"app": 1}
