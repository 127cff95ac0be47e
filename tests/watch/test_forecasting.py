"""When a budget will be spent."""

from __future__ import annotations

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatwater import errors
from flatwater.meter.timeline import Point, Timeline
from flatwater.watch import forecast

MIB = 1 << 20


def curve(values, *, step_s=0.01, start_s=0.0):
    """Points of anonymous sizes in MiB."""
    points = []
    for index, value in enumerate(values):
        size = round(value * MIB)
        points.append(Point(start_s + index * step_s, size + 8 * MIB, size, size))
    return points


def sawtooth(teeth, *, height=60, base=20, length=100):
    return [base + height * (tick % length) / length for tick in range(round(teeth * length))]


def test_a_straight_line_is_spent_where_it_crosses_the_budget():
    """10 MiB/s from 0 to 50 MiB leaves 10 s of a budget of 150 MiB, with no doubt."""
    said = forecast(curve([tick / 10 for tick in range(501)]), 150 * MIB)
    assert said.seconds == pytest.approx(10.0, rel=0.01)
    assert said.seconds_low == pytest.approx(10.0, rel=0.01)
    assert said.seconds_high == pytest.approx(10.0, rel=0.01)
    assert said.growth_bytes_per_s == pytest.approx(10 * MIB, rel=0.01)
    assert said.words == "at 10.0 MiB/s the budget of 150 MiB is spent in 10.0 s (10.0 s to 10.0 s)"


def test_time_that_passed_since_the_last_point_is_taken_off():
    """Four seconds after the last point, four of the ten seconds are gone; after a minute, nothing is left."""
    points = curve([tick / 10 for tick in range(501)])
    assert forecast(points, 150 * MIB, now_s=9.0).seconds == pytest.approx(6.0, rel=0.01)
    assert forecast(points, 150 * MIB, now_s=65.0).seconds == 0.0


@pytest.mark.parametrize(
    ("what", "values"),
    [
        ("flat", [30.0] * 500),
        ("plateau", [min(tick / 2, 60) for tick in range(500)]),
        ("sawtooth", sawtooth(6)),
        ("sawtooth in mid tooth", sawtooth(6.9)),
        ("second tooth, nearly up", sawtooth(1.95)),
        ("spike at the end", [30.0] * 500 + [80.0] * 3),
        ("spike in the middle", [30.0] * 200 + [80.0] * 3 + [30.0] * 200),
        ("step that stayed", [30.0] * 200 + [80.0] * 200),
        ("fall", [80.0 - tick / 10 for tick in range(500)]),
        ("teeth after rests", ([20.0] * 300 + sawtooth(1)) * 3 + [20.0] * 300 + sawtooth(0.5)),
    ],
)
def test_what_stays_is_no_doom(what, values):
    """Flat, plateau, sawtooth, spike, step and fall are no growth."""
    said = forecast(curve(values), 100 * MIB)
    assert not said.finite, said
    assert said.growth_bytes_per_s == 0
    assert said.words.startswith("no growth: the budget of 100 MiB lasts")


def test_a_sawtooth_on_a_slope_is_spent():
    """Teeth whose tops climb by 10 MiB each second spend the budget, within the bound."""
    values = [tooth + tick / 10 for tick, tooth in enumerate(sawtooth(10, height=15))]
    said = forecast(curve(values), 400 * MIB)
    assert said.seconds_low <= (400 - max(values)) / 10 <= said.seconds_high
    assert said.growth_bytes_per_s == pytest.approx(10 * MIB, rel=0.3)


def test_a_leak_after_a_start_up_spike_is_seen_below_the_spike():
    """A tall spike at the start does not hide the long climb after it."""
    values = [20.0] * 20 + [200.0] * 20 + [20 + tick / 20 for tick in range(1500)]
    said = forecast(curve(values), 300 * MIB)
    assert said.growth_bytes_per_s == pytest.approx(5 * MIB, rel=0.05)


def test_a_late_bend_counts_from_the_bend():
    """A hockey stick is forecast from its rise, not from the quiet before it."""
    values = [20.0] * 5000 + [20 + tick / 2 for tick in range(60)]
    said = forecast(curve(values), 100 * MIB)
    assert said.seconds == pytest.approx((100 - values[-1]) / 50, rel=0.1)


def test_above_the_budget_it_is_spent():
    """At or above the budget, nothing is left."""
    said = forecast(curve([120.0] * 3), 100 * MIB)
    assert (said.seconds, said.seconds_low, said.seconds_high) == (0, 0, 0)
    assert said.words == "already spent: 120 MiB of 100 MiB"


def test_the_metric_names_the_size():
    """The resident size crosses before the anonymous size does."""
    points = curve([tick / 10 for tick in range(501)])
    anon, rss = forecast(points, 150 * MIB), forecast(points, 150 * MIB, metric="rss")
    assert rss.seconds == pytest.approx(anon.seconds - 0.8, rel=0.01)


def test_unknown_anonymous_sizes_fall_back_to_the_resident_size():
    """Where the platform does not tell the anonymous size (-1), the resident size is forecast."""
    points = [Point(t / 100, t * MIB, -1, -1) for t in range(100)]
    assert forecast(points, 199 * MIB).seconds == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize("points", [[], curve([5.0]), curve([1.0 + tick for tick in range(15)])])
def test_too_little_history_says_so_and_no_doom(points):
    """Fewer than sixteen points are no growth."""
    assert not forecast(points, 100 * MIB).finite


def test_json_has_no_infinity():
    """`to_dict` is strict JSON."""
    text = json.dumps(forecast(curve([5.0] * 20), "100 MiB").to_dict(), allow_nan=False)
    assert json.loads(text)["seconds"] is None


@pytest.mark.parametrize("budget", [0, -1, True, "12 XB", None, 1.5, float("nan"), 1 << 70])
def test_a_budget_that_is_no_size_is_refused(budget):
    """An impossible budget names itself."""
    with pytest.raises(errors.UsageError, match="budget"):
        forecast(curve([5.0] * 20), budget)


def test_a_metric_or_moment_that_is_none_is_refused():
    """An unknown metric and a moment that is not a number are refused."""
    with pytest.raises(errors.UsageError, match="metric='pss'"):
        forecast([], 1, metric="pss")
    with pytest.raises(errors.UsageError, match="now_s=nan"):
        forecast([], 1, now_s=math.nan)


def test_a_timelines_merging_does_not_change_the_forecast():
    """A history that halved its resolution four times forecasts as the full one, within 5 %."""
    fine, coarse = Timeline(), Timeline(points_max=128)
    noise = random.Random(7)
    for tick in range(1800):
        size = round((20 + tick / 50 + noise.random()) * MIB)
        for line in (fine, coarse):
            line.add(tick / 100, size, size)
    assert forecast(coarse.points(), 100 * MIB).seconds == pytest.approx(
        forecast(fine.points(), 100 * MIB).seconds, rel=0.05
    )


@given(
    rate=st.floats(2.0, 500.0),
    noise=st.floats(0.0, 0.5),
    count=st.integers(100, 600),
    seed=st.integers(0, 1 << 16),
    left=st.floats(1.0, 1000.0),
)
def test_a_noisy_line_is_spent_within_the_bound(rate, noise, count, seed, left):
    """For linear growth under noise, the true moment lies within the bound, widened by the noise."""
    rng = random.Random(seed)
    values = [10 + rate * tick / 100 + noise * rng.random() for tick in range(count)]
    said = forecast(curve(values), round((max(values) + left) * MIB))
    truth = left / rate
    slack = 0.02 * truth + 2 * noise / rate
    assert said.seconds_low - slack <= truth <= said.seconds_high + slack
    assert said.seconds_low <= said.seconds <= said.seconds_high


@given(
    values=st.lists(st.integers(0, 1 << 40), max_size=300),
    times=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=300),
    budget=st.integers(1, 1 << 50),
)
def test_any_history_gives_an_ordered_answer(values, times, budget):
    """Whatever the points, the three figures are ordered, not negative, and speak in words."""
    points = [Point(t, v, v, v // 2) for t, v in zip(times, values, strict=False)]
    said = forecast(points, budget)
    assert 0 <= said.seconds_low <= said.seconds <= said.seconds_high
    assert said.words
    json.dumps(said.to_dict(), allow_nan=False)


@pytest.mark.slow
@given(scale=st.floats(0.1, 100.0), shift=st.floats(-1e6, 1e6))
def test_the_clock_may_start_anywhere_and_run_at_any_speed(scale, shift):
    """Stretching time stretches the forecast; moving the clock does not change it."""
    values = [tick / 10 + (tick % 10) / 20 for tick in range(400)]
    base = forecast(curve(values), 100 * MIB)
    moved = forecast(curve(values, step_s=0.01 * scale, start_s=shift), 100 * MIB)
    assert moved.seconds == pytest.approx(base.seconds * scale, rel=0.05)
