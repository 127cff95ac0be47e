"""meter.timeline: a history that never grows, and never loses a peak."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flatwater as fw
from flatwater import errors
from flatwater.meter import Timeline


@given(st.lists(st.integers(0, 1 << 40), max_size=400), st.sampled_from([16, 18, 64]))
def test_peaks_survive_any_halving(sizes, points_max):
    """Whatever is fed, the highest and lowest values are still in the points, and there are at most points_max."""
    line = Timeline(points_max=points_max)
    for tick, size in enumerate(sizes):
        line.add(tick / 10, rss=size, anon=size // 2)
    points = line.points()
    assert len(points) <= points_max
    assert line.samples == len(sizes)
    assert max((point.rss_max for point in points), default=0) == max(sizes, default=0) == line.peak_rss
    assert max((point.anon_max for point in points), default=0) == line.peak_anon
    assert min((point.anon_min for point in points), default=0) == min((size // 2 for size in sizes), default=0)
    assert [point.t_s for point in points] == sorted(point.t_s for point in points)
    if sizes:
        assert points[-1].t_s == (len(sizes) - 1) / 10


def test_a_day_of_samples_fits():
    """A day at 10 ms still fits into points_max points, and the resolution says what a point stands for."""
    line = Timeline(points_max=64)
    for tick in range(20_000):
        line.add(tick * 4.32, rss=tick, anon=tick)
    assert len(line) <= 64
    assert line.bytes_max() == 64 * 32 + 32 * 192
    assert 86400 / 64 <= line.resolution_s <= 86400 / 16


@pytest.mark.parametrize(
    "options",
    [
        {"points_max": 15},
        {"points_max": 17},
        {"points_max": 0},
        {"points_max": True},
        {"period_s": 0},
        {"period_s": float("nan")},
    ],
)
def test_bounds_that_cannot_work_are_refused(options):
    """An odd or tiny number of points, and a period that is no time, are wrong use."""
    with pytest.raises(errors.UsageError):
        Timeline(**options)


def test_it_samples_the_process_itself():
    """As a context manager it sees what the process allocates, and stays readable afterwards."""
    with fw.Timeline(period_s=0.001) as line:
        held = bytearray(32 << 20)
        while line.samples < 20 or line.points()[-1].anon_max < len(held):
            pass
    assert line.peak_anon >= 32 << 20
    assert line.to_dict()["samples"] == line.samples
    with pytest.raises(errors.ClosedError):
        line.start()


def test_a_sample_is_handed_on():
    """Whoever asks gets every sample, in order."""
    seen = []
    line = Timeline(period_s=0.001)
    line.start(on_sample=lambda t_s, rss, anon: seen.append((t_s, rss, anon)))
    while len(seen) < 5:
        pass
    line.stop()
    line.stop()
    assert seen[: len(seen)] == sorted(seen[: len(seen)], key=lambda sample: sample[0])
    assert line.samples >= 5
