"""Levels, and how many samples in a row they take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater import errors
from flatwater.watch.levels import RANK, Levels, Thresholds

AT = Thresholds(high=0.8, critical=0.9, gap=0.1, high_samples=5, critical_samples=3, leave_samples=2)


def run(pressures, at=AT):
    """The level after each sample, every proposal confirmed."""
    levels = Levels(at)
    seen = []
    for pressure in pressures:
        wanted = levels.see(pressure)
        if wanted is not None:
            levels.enter(wanted)
        seen.append(levels.level)
    return seen


def test_high_takes_its_samples_in_a_row():
    """Four samples and a dip are nothing; five in a row are high."""
    assert run([0.85] * 4 + [0.5] + [0.85] * 4) == ["normal"] * 9
    assert run([0.85] * 5)[-1] == "high"


def test_critical_takes_three():
    """Two samples at the top are a spike, three are critical, without passing through high."""
    assert run([0.95] * 2 + [0.5])[-1] == "normal"
    assert run([0.95] * 3) == ["normal", "normal", "critical"]


def test_a_level_is_left_below_where_it_was_entered():
    """Between the leaving and the entering threshold the level stays."""
    assert run([0.85] * 5 + [0.75] * 50)[-1] == "high"
    assert run([0.85] * 5 + [0.69] * 2)[-1] == "normal"
    assert run([0.85] * 5 + [0.69, 0.75] * 20)[-1] == "high"


def test_critical_is_left_for_high_or_for_normal():
    """Memory that fell a little is high, memory that fell far is normal."""
    assert run([0.95] * 3 + [0.75] * 2)[-1] == "high"
    assert run([0.95] * 3 + [0.2] * 2)[-1] == "normal"


def test_a_refuted_proposal_starts_over():
    """After a second look that found less, the whole row is needed again."""
    levels = Levels(AT)
    for _ in range(4):
        assert levels.see(0.85) is None
    assert levels.see(0.85) == "high"
    levels.refute()
    assert [levels.see(0.85) for _ in range(5)] == [None] * 4 + ["high"]


@pytest.mark.parametrize(
    "bad",
    [
        {"high": 0.95, "critical": 0.9},
        {"high": 0},
        {"critical": 1.1},
        {"gap": 0},
        {"gap": 0.9},
        {"high": float("nan")},
        {"high": True},
        {"high": "0.8"},
        {"high_samples": 0},
        {"critical_samples": True},
        {"leave_samples": 1.5},
    ],
)
def test_thresholds_that_cannot_work_are_refused(bad):
    """Shares out of order, out of range or no numbers, and counts below one, name themselves."""
    with pytest.raises(errors.UsageError, match=next(iter(bad))):
        Thresholds(**bad)


@given(st.lists(st.floats(0, 2), max_size=200))
def test_no_level_without_its_row_of_samples(pressures):
    """Whatever the samples, a level rises only after its row, and high samples never meet a normal that should be high."""
    levels = run(pressures)
    for index, level in enumerate(levels):
        before = levels[index - 1] if index else "normal"
        if RANK[level] > RANK[before]:
            count = AT.critical_samples if level == "critical" else AT.high_samples
            least = AT.critical if level == "critical" else AT.high
            assert index + 1 >= count
            assert all(pressure >= least for pressure in pressures[index + 1 - count : index + 1])
        if RANK[level] < RANK[before]:
            assert all(pressure < AT.leaves(before) for pressure in pressures[index + 1 - AT.leave_samples : index + 1])


@pytest.mark.parametrize(("high", "gap", "rests"), [(0.85, 0.05, 0.75), (0.2, 0.15, 0.025), (0.5, 0.1, 0.3)])
def test_shedding_aims_below_where_high_is_left(high, gap, rests):
    """A gap further down, but never at nothing."""
    assert Thresholds(high=high, critical=0.9, gap=gap).rests == pytest.approx(rests)


def test_rising_is_the_time_between_the_first_critical_sample_and_the_level():
    """Only then samples are taken twice as often; one sample below ends it."""
    levels = Levels(AT)
    seen = []
    for pressure in (0.5, 0.95, 0.5, 0.95, 0.95, 0.95):
        proposed = levels.see(pressure)
        if proposed:
            levels.enter(proposed)
        seen.append(levels.is_rising)
    assert seen == [False, True, False, True, True, False]
