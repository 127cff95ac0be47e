"""proof.projection: what follows from points beyond the measured sizes."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flatwater import limits
from flatwater.proof.growth import NOISE_BYTES_MIN, SHAPES, Growth, judge
from flatwater.proof.projection import Projection

MIB = 1 << 20
GRID = [25_000 << step for step in range(5)]


def projection(peaks, *, grid=GRID, uppers=None):
    return Projection(judge(grid, peaks), grid, peaks, peaks if uppers is None else uppers)


def growing(kind, gained, base=10 * MIB):
    shape = SHAPES[kind]
    first, last = shape(GRID[0]), shape(GRID[-1])
    return [round(base + gained * (shape(n) - first) / (last - first)) for n in GRID]


kinds = st.sampled_from(list(SHAPES))
gains = st.integers(64 * MIB, 4096 * MIB)


@settings(deadline=None, max_examples=25)
@given(kind=kinds, gained=gains, more=st.floats(1.01, 20))
def test_fails_at_is_the_inverse_of_peak_at(kind, gained, more):
    """At the n at which a budget is spent the peak is the budget, and one item of the last steps later it is above."""
    way = projection(growing(kind, gained))
    assert way.growth.kind == kind
    budget = round(way.peaks[-1] * more)
    at = way.fails_at(budget)
    if at is None:  # further away than any number of items
        assert way.peak_at(limits.PROOF_N_MAX) <= budget
        return
    assert at >= GRID[-1]
    assert way.peak_at(at) <= budget + 1
    assert way.peak_at(at + 1 + at // 10**6) >= budget - 1


@settings(deadline=None, max_examples=25)
@given(kind=kinds, gained=gains, share=st.floats(0, 1))
def test_fails_at_within_the_measured_sizes(kind, gained, share):
    """A budget between two measured peaks is spent between their sizes, and the peak there is the budget."""
    way = projection(growing(kind, gained))
    budget = round(way.peaks[0] + share * (way.peaks[-1] - way.peaks[0]))
    assume(way.peaks[0] <= budget < way.peaks[-1])
    at = way.fails_at(budget)
    assert GRID[0] <= at <= GRID[-1]
    steepest = max((b - a) / (m - n) for a, b, n, m in zip(way.peaks, way.peaks[1:], GRID, GRID[1:], strict=False))
    assert abs(way.peak_at(at) - budget) <= steepest + 1


@settings(deadline=None, max_examples=25)
@given(
    peaks=st.lists(st.integers(1, 512 * MIB), min_size=5, max_size=9), n=st.integers(1, 10**12),
    slack=st.lists(st.integers(0, 64 * MIB), min_size=9, max_size=9),
)  # fmt: skip
def test_the_upper_bound_is_above(peaks, n, slack):
    """Whatever the points, upper_at(n) >= peak_at(n), within the measured sizes and beyond."""
    grid = [1_000 << step for step in range(len(peaks))]
    uppers = [peak + extra for peak, extra in zip(peaks, slack, strict=False)]
    way = projection(peaks, grid=grid, uppers=uppers)
    assert way.upper_at(n) >= way.peak_at(n) - 1


@settings(deadline=None, max_examples=25)
@given(kind=kinds, gained=gains, n=st.integers(1, 10**9), more=st.integers(0, 10**9))
def test_further_is_no_less(kind, gained, n, more):
    """More items never have a lower peak, nor a lower upper bound, where the measured peaks rise."""
    way = projection(growing(kind, gained))
    assert way.peak_at(n + more) >= way.peak_at(n)
    assert way.upper_at(n + more) >= way.upper_at(n)


@pytest.mark.parametrize(("kind", "peak"), [("linear", 7980), ("superlinear", 188_235), ("sqrt", 1900), ("log", 648)])
def test_each_kind_goes_on_in_its_own_way(kind, peak):
    """300 MiB over 16 times the size, at 10 million items, in MiB."""
    way = projection(growing(kind, 300 * MIB, base=0))
    assert way.peak_at(10_000_000) / MIB == pytest.approx(peak, rel=0.001)


def test_a_constant_is_its_peak_and_at_most_what_could_have_hidden():
    """Beyond the sizes a constant's likely peak is its highest, and the resolution adds up for the bound."""
    way = projection([10 * MIB] * 5)
    assert way.peak_at(10**9) == 10 * MIB
    assert way.upper_at(10**9) == pytest.approx(10 * MIB + NOISE_BYTES_MIN / 300_000 * (10**9 - GRID[-1]), rel=1e-6)
    assert way.fails_at(11 * MIB) is None
    assert way.fails_at(9 * MIB) == GRID[0]


def test_within_the_sizes_it_is_between_the_points():
    """Halfway between two sizes the peak is halfway; below the first it is the first."""
    way = projection([0, 4 * MIB, 8 * MIB, 16 * MIB, 32 * MIB], uppers=[MIB, 4 * MIB, 9 * MIB, 16 * MIB, 40 * MIB])
    assert way.peak_at(75_000) == 6 * MIB
    assert way.peak_at(1) == 0
    assert way.upper_at(1) == MIB
    assert way.upper_at(75_000) == 9 * MIB
    assert way.upper_at(400_000) == 40 * MIB


def test_a_budget_that_is_never_reached():
    """Growth so slow that no number of items spends the budget says None, and does not overflow."""
    way = projection(growing("log", 64 * MIB))
    assert way.fails_at(1 << 62) is None
    flat = Growth("grows", "sqrt", 1e-9, 1e-9, NOISE_BYTES_MIN, firm=True, reason="")
    way = Projection(flat, GRID, [1, 2, 3, 4, 5], [1, 2, 3, 4, 5])
    assert way.fails_at(1 << 62) is None
