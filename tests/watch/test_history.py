"""watch.history: the whole time and the newest stretch, in bounded memory."""

from __future__ import annotations

import itertools
import sys
import threading

import pytest

from flatwater import limits
from flatwater.watch.history import History

PERIOD_S = 0.01


def filled(seconds, size=lambda second: int(second * 1000), period_s=PERIOD_S):
    history = History()
    for tick in range(round(seconds / period_s)):
        second = tick * period_s
        history.add(second, size(second), size(second))
    return history


def test_nothing_yet():
    """A new history has no points."""
    assert History().points() == []


def test_points_are_in_order_and_end_with_the_newest():
    """Whatever was merged, times rise, and the last point holds the last sample."""
    points = filled(200).points()
    times = [point.t_s for point in points]
    assert times == sorted(times)
    assert len(set(times)) == len(times)
    assert points[-1].anon_max == 199_990
    assert points[0].t_s < 1


def test_the_newest_minute_is_fine_after_hours():
    """After an hour the newest half minute still has a point at least every quarter second."""
    points = filled(3600, period_s=0.1).points()
    end = points[-1].t_s
    newest = [point for point in points if point.t_s >= end - limits.WATCH_RECENT_S]
    gaps = [later.t_s - earlier.t_s for earlier, later in itertools.pairwise(newest)]
    assert max(gaps) <= 0.25
    assert len(points) <= 3 * limits.WATCH_POINTS_MAX


def test_no_extreme_is_lost():
    """A single sample of a peak, hours ago, is still the highest of all points."""
    points = filled(3600, size=lambda second: 10**9 if second == 500 else 10**6, period_s=0.5).points()
    assert max(point.anon_max for point in points) == 10**9
    assert min(point.anon_min for point in points) == 10**6


def test_it_does_not_grow():
    """Ten times the samples are no more points than the bound, which is named in bytes."""
    history = History()
    counts = []
    for tick in range(16_000):
        history.add(tick * 0.25, tick, tick)
        if tick % 1_600 == 0:
            counts.append(len(history.points()))
    assert max(counts) <= 3 * limits.WATCH_POINTS_MAX
    assert history.bytes_max() <= 1 << 20


@pytest.mark.parametrize("gap_s", [29.9, 30.0, 31.0, 3600.0, 1e7])
def test_a_gap_in_time_is_a_gap(gap_s):
    """A process that slept for a while (a laptop, a debugger) goes on with both sides kept."""
    history = filled(10)
    history.add(10 + gap_s, 77, 77)
    history.add(10.01 + gap_s, 78, 78)
    points = history.points()
    assert points[-1].anon_max == 78
    assert points[0].t_s < 1
    times = [point.t_s for point in points]
    assert times == sorted(times)


def test_a_baseline_is_taken_off():
    """Each size is less by it and never below 0; an unknown one stays unknown."""
    history = History()
    for tick, size in enumerate((5, 50, 500)):
        history.add(tick * 1.0, size, size - 1 if tick else -1)
    assert [(p.rss_max, p.anon_max) for p in history.points(baseline=10)] == [(0, -1), (40, 39), (490, 489)]


def test_reading_while_another_thread_adds():
    """A reader that looks 100 times while samples come in, with threads switching each microsecond, sees order."""
    history = History()
    stop = threading.Event()
    switch_s = sys.getswitchinterval()

    def add():
        tick = 0
        while not stop.is_set():
            tick += 1
            history.add(tick * 0.5, tick, tick)

    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=add)
    thread.start()
    try:
        for _ in range(100):
            times = [point.t_s for point in history.points()]
            assert times == sorted(times)
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(switch_s)
