"""proof.leaks.steady: figures that grew each time."""

from __future__ import annotations

from flatwater.proof.leaks.steady import Steady


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
