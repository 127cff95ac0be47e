"""meter.timeline: a history that never grows, and never loses a peak."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flatwater as fw
from flatwater import errors, limits
from flatwater.meter import Probe, Timeline


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
    assert line.bytes_max() < 10_000
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
        {"period_s": "x"},
        {"period_s": None},
        {"points_max": "a"},
        {"points_max": 16.0},
    ],
)
def test_bounds_that_cannot_work_are_refused(options):
    """An odd or tiny number of points, and a period that is no time, are wrong use."""
    with pytest.raises(errors.UsageError) as refused:
        Timeline(**options)
    assert refused.value.hint


@pytest.mark.parametrize(
    "sample", [(0.0, 1 << 63, 0), (0.0, 0, -(1 << 64)), (0.0, 1.5, 0), ("x", 0, 0), (0.0, None, 0), (None, 0, 0)]
)
def test_a_sample_that_is_none_changes_nothing(sample):
    """What has no room in the columns is refused at once, and they stay in step."""
    line = Timeline()
    line.add(0.0, rss=1, anon=1)
    with pytest.raises(errors.UsageError, match="is no sample"):
        line.add(*sample)
    line.add(1.0, rss=3, anon=2)
    assert [(point.rss_max, point.anon_max) for point in line] == [(1, 1), (3, 2)]
    assert line.samples == 2


def test_stopping_before_starting_is_no_end():
    """A timeline that was stopped before it ran takes samples all the same."""
    line = Timeline(period_s=0.001)
    line.stop()
    with line:
        deadline = time.monotonic() + 10
        while line.samples < 3:
            assert time.monotonic() < deadline
    assert line.samples >= 3


@pytest.mark.parametrize("is_handed_on", [False, True])
def test_a_probe_that_is_closed_ends_the_sampling(is_handed_on):
    """Its descriptor's number may be another file's: nothing is read from it, and the history stays as it was."""
    probe = Probe()
    line = Timeline(period_s=0.001, probe=probe)
    line.start(on_sample=(lambda *_: None) if is_handed_on else None)
    deadline = time.monotonic() + 10
    while line.samples < 3:
        assert time.monotonic() < deadline
    probe.close()
    line._thread.join(10)
    assert not line._thread.is_alive()
    assert min(point.rss_max for point in line) > 0
    line.stop()


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


def test_what_it_may_hold_is_not_exceeded():
    """A full history, through several halvings, stays within `bytes_max` as Python's allocators see it."""
    tracemalloc.start()
    try:
        line = Timeline()
        for tick in range(3 * limits.TIMELINE_POINTS_MAX):
            line.add(tick / 100, 1000, 1000)
        assert tracemalloc.get_traced_memory()[1] <= line.bytes_max()
    finally:
        tracemalloc.stop()
