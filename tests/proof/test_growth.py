"""proof.growth: the rule, as a function of numbers."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flatwater.proof.growth import NOISE_BYTES_MIN, SHAPES, judge, kind_of, settled_index, slopes_of

MIB = 1 << 20
GRID = [25_000 << step for step in range(5)]


def series(kind, grid, gained):
    """Peaks of exactly one shape that gain so many bytes over the grid."""
    shape = SHAPES[kind]
    first, last = shape(grid[0]), shape(grid[-1])
    return [gained * (shape(n) - first) / (last - first) for n in grid]


grids = st.builds(
    lambda low, factor, count: [round(low * factor**step) for step in range(count)],
    st.integers(100, 10**8), st.floats(1.5, 2.0), st.just(5),
)  # fmt: skip


@settings(deadline=None, max_examples=25)
@given(kind=st.sampled_from(["linear", "sqrt", "superlinear"]), grid=grids, gained=st.floats(64 * MIB, 64 * 1024 * MIB))
def test_an_exact_series_is_what_it_is(kind, grid, gained):
    """Growth of one shape is seen as that shape, with the slope of its last step, on any grid."""
    peaks = series(kind, grid, gained)
    growth = judge(grid, peaks)
    assert (growth.verdict, growth.kind) == ("grows", kind)
    assert growth.bytes_per_item == pytest.approx((peaks[-1] - peaks[-2]) / (grid[-1] - grid[-2]))
    assert growth.resolution > 0


@settings(deadline=None, max_examples=25)
@given(low=st.integers(1_000, 10**8), gained=st.floats(8 * MIB, 1024 * MIB))
def test_logarithmic_growth_is_seen_over_four_doublings(low, gained):
    """A peak that gains the same with each doubling grows, by a logarithm."""
    grid = [low << step for step in range(5)]
    growth = judge(grid, series("log", grid, gained))
    assert (growth.verdict, growth.kind) == ("grows", "log")


@pytest.mark.parametrize("kind", list(SHAPES))
@pytest.mark.parametrize("count", [5, 6, 8, 12])
def test_growth_is_seen_over_any_number_of_sizes(kind, count):
    """However wide the range, growth that goes on grows, as its kind: a slope that falls is no plateau."""
    grid = [1_000 << step for step in range(count)]
    growth = judge(grid, series(kind, grid, 512 * MIB))
    assert (growth.verdict, growth.kind) == ("grows", kind)


@settings(deadline=None, max_examples=25)
@given(
    base=st.integers(0, 4096 * MIB), noise=st.lists(st.integers(0, NOISE_BYTES_MIN), min_size=5, max_size=12),
    low=st.integers(5, 10**9),
)  # fmt: skip
def test_noise_within_the_floor_is_no_growth(base, noise, low):
    """A constant that scatters by no more than the floor is a constant, wherever the scatter falls."""
    grid = [low << step for step in range(len(noise))]
    growth = judge(grid, [base + extra for extra in noise])
    assert (growth.verdict, growth.kind, growth.firm) == ("constant", None, True)
    assert growth.noise_bytes == NOISE_BYTES_MIN


@settings(deadline=None, max_examples=25)
@given(
    base=st.integers(0, 4096 * MIB), spread=st.floats(0, 64 * MIB),
    shares=st.lists(st.floats(0, 2), min_size=5, max_size=12),
)  # fmt: skip
def test_noise_within_the_spread_is_no_growth(base, spread, shares):
    """Nor is a scatter of up to twice the spread between repetitions."""
    grid = [1_000 << step for step in range(len(shares))]
    growth = judge(grid, [base + share * spread for share in shares], spread_bytes=spread)
    assert growth.verdict == "constant"


@settings(deadline=None, max_examples=25)
@given(
    kind=st.sampled_from(list(SHAPES)), gained=st.floats(0, 4096 * MIB), more=st.floats(0, 4096 * MIB),
    noise=st.lists(st.integers(0, NOISE_BYTES_MIN), min_size=5, max_size=5),
)  # fmt: skip
def test_more_growth_is_no_constant(kind, gained, more, noise):
    """What grows, or is undecided, does not become a constant by growing faster."""
    before = [grown + extra for grown, extra in zip(series(kind, GRID, gained), noise, strict=True)]
    assume(judge(GRID, before).verdict != "constant")
    after = [peak + grown for peak, grown in zip(before, series("linear", GRID, more), strict=True)]
    assert judge(GRID, after).verdict != "constant"


@settings(deadline=None, max_examples=25)
@given(
    peaks=st.lists(st.integers(0, 256 * MIB), min_size=5, max_size=9), base=st.integers(-256 * MIB, 256 * MIB),
    factor=st.integers(2, 10**6),
)  # fmt: skip
def test_units_and_bases_do_not_matter(peaks, base, factor):
    """The same peaks from another base, or for items of another size, give the same verdict and kind."""
    grid = [1_000 << step for step in range(len(peaks))]
    plain = judge(grid, peaks)
    assert judge(grid, [peak + base for peak in peaks]) == plain
    scaled = judge([n * factor for n in grid], peaks)
    assert (scaled.verdict, scaled.kind, scaled.firm) == (plain.verdict, plain.kind, plain.firm)
    assert scaled.bytes_per_item * factor == pytest.approx(plain.bytes_per_item)
    assert scaled.resolution * factor == pytest.approx(plain.resolution)


@settings(deadline=None, max_examples=25)
@given(peaks=st.lists(st.integers(-(1 << 40), 1 << 40), min_size=3, max_size=12), low=st.integers(1, 10**6))
def test_any_points_give_a_verdict(peaks, low):
    """No peaks make it fail, and each verdict says why, with a resolution above 0."""
    grid = [low << step for step in range(len(peaks))]
    growth = judge(grid, peaks)
    assert growth.verdict in {"constant", "grows", "undecided"}
    assert (growth.kind is None) == (growth.verdict != "grows")
    assert growth.reason
    assert growth.resolution > 0
    assert growth.noise_bytes >= NOISE_BYTES_MIN


@pytest.mark.parametrize(
    ("peaks", "verdict"),
    [
        ([3, 6, 12, 24, 48], "grows"),
        ([3, 6, 7, 7, 7], "constant"),  # a cache that fills
        ([3, 6, 12, 12.05, 12.1], "constant"),
        ([48, 24, 12, 6, 3], "constant"),  # what shrinks does not grow
        ([40, 40, 40, 40, 41], "grows"),  # little growth over much that stays
        ([0, 0, 0, 8, 8.1], "undecided"),  # a step, just now
        ([0, 100, 100, 100, 101], "undecided"),  # what goes on is little, beside the first step
    ],
)
def test_shapes_of_programs(peaks, verdict):
    """In MiB: plateaus are constant, whatever came before; what goes on in the last step grows."""
    found = judge(GRID, [peak * MIB for peak in peaks]).verdict
    assert found == verdict or (verdict != "constant" and found != "constant")


def test_the_resolution_is_what_could_have_hidden():
    """A constant's resolution is the noise, and what it moved by, over the items of the last two doublings."""
    growth = judge(GRID, [0, 0, 0, 0, 0])
    assert growth.resolution == pytest.approx(NOISE_BYTES_MIN / 300_000)
    growth = judge(GRID, [0, 0, 0, 0, 150_000])
    assert growth.verdict == "constant"
    assert growth.resolution == pytest.approx((NOISE_BYTES_MIN + 150_000) / 300_000)


def test_slopes_and_the_settled_part():
    """Slopes are between neighbours; the settled part is the last two doublings, of three points at least."""
    assert slopes_of([1, 2, 4], [0, 10, 30]) == [10, 10]
    assert settled_index(GRID) == 2
    assert settled_index([1, 2, 3, 4, 5]) == 0
    assert settled_index([10, 11, 12, 13, 1000]) == 2
    assert settled_index([10, 11, 12, 13, 14, 15]) == 0


def test_the_kind_leaves_out_what_hides():
    """First steps that memory of before has swallowed do not make linear growth a steeper kind."""
    grid = [25_000 << step for step in range(7)]
    linear = series("linear", grid, 64 * MIB)
    hidden = [max(0.0, peak - 3 * MIB) for peak in linear]
    assert kind_of(grid, hidden, NOISE_BYTES_MIN) == "linear"
    assert kind_of(grid, [0] * 6 + [MIB], NOISE_BYTES_MIN) == "linear"
    assert all(after >= before for before, after in itertools.pairwise(hidden))


def test_a_cache_that_fills_early_does_not_bend_the_kind():
    """The kind is that of the last steps: 60 bytes for each item, and a cache that is full at 50,000."""
    sizes = [25_000 << step for step in range(5)]
    for full in (30_000, 40_000, 50_000):
        assert judge(sizes, [60 * n + 60 * min(n, full) for n in sizes]).kind == "linear"


def test_growth_that_jumps_each_time_is_firm():
    """Four times as much at each doubling is the square of n; one jump alone may be a table that grew."""
    sizes = [2_000 << step for step in range(5)]
    assert judge(sizes, [float(n * n // 4) for n in sizes]).firm
    assert not judge(sizes, [0, 0, 2 * MIB, 4 * MIB, 20 * MIB]).firm


def test_shapes_are_finite_at_one():
    """The smallest size there is has a value in every shape."""
    assert [shape(1) for shape in SHAPES.values()] == [0.0, 1.0, 1.0, 1.0]
    assert math.isfinite(sum(shape(10**15) for shape in SHAPES.values()))
