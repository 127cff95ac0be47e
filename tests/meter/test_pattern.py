"""meter.pattern: curves get the names that people give them."""

from __future__ import annotations

import math
import random

import pytest

from flatwater.meter import Timeline, pattern_of
from flatwater.meter.pattern import last_climb, until_top

MIB = 1 << 20


def curve(shape, seconds=20.0, samples=2000, noise=0, seed=1):
    """A history of `shape(share of the time)` MiB with seeded noise."""
    rng = random.Random(seed)
    line = Timeline()
    for tick in range(samples):
        share = tick / samples
        size = int(max(0.0, shape(share) + rng.uniform(-noise, noise)) * MIB)
        line.add(share * seconds, rss=size + 8 * MIB, anon=size)
    return line


CURVES = {
    "flat": [
        lambda t: 20,
        lambda t: 20 + 1.5 * math.sin(60 * t),
        lambda t: min(20, 2000 * t) if t < 0.01 else 20,
        lambda t: 500 + 20 * math.sin(100 * t),
    ],
    "sawtooth": [
        lambda t: 20 + 80 * (t * 12 % 1),
        lambda t: 20 + 80 * (1 - t * 7 % 1),
        lambda t: 20 + 40 * math.sin(40 * t),
        lambda t: 100 if t * 10 % 1 < 0.5 else 30,
    ],
    "plateau": [
        lambda t: 20 + min(1, t * 5) * 180,
        lambda t: 200 * (1 - math.exp(-12 * t)),
        lambda t: 20 if t < 0.2 else 220,
    ],
    "linear": [
        lambda t: 20 + 300 * t,
        lambda t: 20 + 300 * t + 20 * math.sin(80 * t),
        lambda t: 20 + 300 * min(t, 0.8) / 0.8,
        lambda t: 20 + 300 * t + 60 * (t * 20 % 1),
    ],
    "hockey stick": [
        lambda t: 20 + (0 if t < 0.75 else (t - 0.75) * 4 * 400),
        lambda t: 20 + 400 * t**8,
        lambda t: 20 if t < 0.9 else 20 + (t - 0.9) * 3000,
    ],
}


@pytest.mark.parametrize("noise", [0, 2])
@pytest.mark.parametrize(
    ("name", "index"), [(name, index) for name, shapes in CURVES.items() for index in range(len(shapes))]
)
def test_curves_get_their_names(name, index, noise):
    """Each drawn curve, with and without noise, is called what it is, at full and at halved resolution."""
    for samples in (120, 5000):
        pattern = curve(CURVES[name][index], samples=samples, noise=noise).pattern
        assert (samples, pattern.name) == (samples, name), pattern.words
        assert pattern.words.startswith(name)


def test_growth_is_measured_on_the_rise():
    """A line of 15 MiB/s reads as 15 MiB/s; a flat one as 0."""
    linear = curve(lambda t: 20 + 300 * t).pattern
    assert linear.growth_bytes_per_s == pytest.approx(15 * MIB, rel=0.05)
    assert curve(lambda t: 50).pattern.growth_bytes_per_s == 0


@pytest.mark.parametrize("count", range(8))
def test_few_samples_show_no_shape(count):
    """Below eight samples it says undecided, and how many there were."""
    pattern = pattern_of(curve(lambda t: 100 * t, samples=max(count, 1)).points()[:count])
    assert pattern.name == "undecided"
    assert str(count) in pattern.words


def test_identical_times_do_not_divide_by_zero():
    """Samples at one instant are no slope."""
    line = Timeline()
    for tick in range(20):
        line.add(1.0, rss=tick * 10 * MIB, anon=tick * 10 * MIB)
    assert line.pattern.growth_bytes_per_s == 0


@pytest.mark.parametrize(
    ("shape", "rate", "stood_s"),
    [
        (lambda t: 10 + 90 * t, 4.5, 0.4),  # straight to the end: 90 MiB in 20 s, the last 2 % of it count as the top
        (lambda t: 10 + 90 * min(1, 4 * t), 18, 15.1),  # a quarter of the time, then at its limit
        (lambda t: 10 if t < 0.9 else 10 + 900 * (t - 0.9), 45, 0.04),  # quiet, then steep
        (lambda t: 64, 0, 20),  # it never rose: there from the first look
    ],
)
def test_the_last_climb(shape, rate, stood_s):
    """How fast a program came to its limit, and how long it stood there, within a tenth."""
    growth, stood = last_climb(curve(shape).points())
    assert growth == pytest.approx(rate * MIB, rel=0.1)
    assert stood == pytest.approx(stood_s, rel=0.1, abs=0.1)


def test_until_the_top_is_the_way_there():
    """A program that stood at its limit came there as it did: hockey stick, not plateau; of nothing there is nothing."""
    points = curve(lambda t: 10 if t < 0.2 else min(100, 10 + 1800 * (t - 0.2))).points()
    assert pattern_of(points).name == "plateau"
    assert pattern_of(until_top(points)).name == "hockey stick"
    assert until_top([]) == []


def test_the_last_climb_of_almost_nothing():
    """Without points there is none; with one, it is all that came until then."""
    assert last_climb([]) == (0.0, 0.0)
    line = Timeline()
    line.add(0.5, rss=MIB, anon=MIB)
    assert last_climb(line.points()) == (2.0 * MIB, 0.0)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (lambda t: 500 - 450 * t, "starts at 500 MiB, and back to 5"),
        (lambda t: 500 if t < 0.1 else 50, "starts at 500 MiB, and back to 50.0 MiB"),
        (lambda t: 10 + (4900 * t if t < 0.1 else 0), "one tooth, up to 4"),
        (lambda t: 10 + 490 * max(0, 1 - abs(t - 0.5) / 0.1), "one tooth, up to 500 MiB, and back to 10.0 MiB"),
    ],
)
def test_what_was_given_back_is_no_growth(shape, words):
    """A curve that comes down and stays low neither climbs nor stays up, whatever its way up was."""
    pattern = curve(shape).pattern
    assert (pattern.name, pattern.growth_bytes_per_s) == ("sawtooth", 0.0)
    assert words in pattern.words


@pytest.mark.parametrize(("teeth", "height", "climb"), [(20, 500, 1000), (20, 500, 300), (5, 500, 800), (12, 80, 100)])
def test_teeth_on_a_slope_are_growth(teeth, height, climb):
    """Low marks that climb are a leak below the teeth: linear, at the speed of the low marks."""
    pattern = curve(lambda t: 10 + height * (t * teeth % 1) + climb * t).pattern
    assert pattern.name == "linear"
    assert pattern.growth_bytes_per_s == pytest.approx(climb * MIB / 20, rel=0.15)


@pytest.mark.parametrize("seed", range(10))
def test_uneven_teeth_do_not_climb(seed):
    """Teeth of random heights and low marks within a fifth of a tooth have no growth."""
    rng = random.Random(seed)
    lows = [rng.uniform(0, 20) for _ in range(15)]
    heights = [rng.uniform(80, 120) for _ in range(15)]
    pattern = curve(lambda t: 10 + lows[int(t * 15)] + heights[int(t * 15)] * (t * 15 % 1)).pattern
    assert (pattern.name, pattern.growth_bytes_per_s) == ("sawtooth", 0.0)


def test_a_start_is_not_the_bend():
    """What an interpreter takes at first is a tenth of the rise and no end of the quiet: that ends where it steepens."""
    pattern = curve(lambda t: min(8, 400 * t) + (600 * (t - 0.9) if t > 0.9 else 0)).pattern
    assert pattern.name == "hockey stick"
    assert "quiet for 18.0 s" in pattern.words
    assert pattern.growth_bytes_per_s == pytest.approx(30 * MIB, rel=0.05)
