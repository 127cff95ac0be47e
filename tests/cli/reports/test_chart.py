"""cli.reports.chart: every point of a history lands inside the plot, where its figures say."""

from __future__ import annotations

import re

import pytest

from flatwater import units
from flatwater.cli.reports.chart import chart_of
from flatwater.meter.timeline import Point

MIB = units.MIB


def rising(count, seconds=10.0, top=100 * MIB):
    return [
        Point(seconds * n / (count - 1), top * n // (count - 1) + MIB, top * n // (count - 1), top * n // (count - 1) // 2)
        for n in range(count)
    ]  # fmt: skip


def corners(path):
    """The points of path data."""
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[0-9.]+),(-?[0-9.]+)", path)]


@pytest.mark.parametrize("points", [[], rising(2)[:1]])
def test_less_than_a_line_is_no_chart(points):
    """Nothing is drawn of fewer than two points."""
    assert chart_of(points) is None


@pytest.mark.parametrize("count", [2, 100])
@pytest.mark.parametrize("seconds", [0.0004, 0.02, 7.0, 3600.0, 40 * 86400.0])
@pytest.mark.parametrize("budget", [0, 1, 64 * MIB, 900 * units.TIB, units.BYTES_VALUE_MAX])
def test_everything_is_inside_the_plot(count, seconds, budget):
    """Lines, areas, marks, peak and budget stay within the axes, from 400 us to 40 days and up to 8 EiB."""
    chart = chart_of(rising(count, seconds), budget_bytes=budget)
    for path in (chart.rss, chart.anon, chart.band, chart.area):
        assert corners(path)
        for x, y in corners(path):
            assert chart.left <= x <= chart.right
            assert chart.top <= y <= chart.bottom
    assert len(corners(chart.anon)) == len(corners(chart.rss)) == count
    assert all(chart.left <= mark.at <= chart.right for mark in chart.x_marks)
    assert all(chart.top <= mark.at <= chart.bottom for mark in chart.y_marks)
    assert chart.left <= chart.peak[0] <= chart.right
    assert (chart.budget_y == -1) if not budget else (chart.top <= chart.budget_y <= chart.bottom)


def test_a_point_is_where_its_figures_say():
    """Half of the time and half of the highest size are half-way; more memory is higher up."""
    chart = chart_of([Point(0.0, 0, 0, 0), Point(5.0, 50 * MIB, 50 * MIB, 0), Point(10.0, 100 * MIB, 100 * MIB, 0)])
    (x0, y0), (x1, y1), (x2, y2) = corners(chart.anon)
    assert (x0, x2, y0) == (chart.left, chart.right, chart.bottom)
    assert x1 == pytest.approx((x0 + x2) / 2, abs=0.1)
    assert y1 == pytest.approx((y0 + y2) / 2, abs=0.1)
    assert y2 < y1 < y0
    assert chart.left + 5.0 * chart.x_scale == pytest.approx(x1, abs=0.1)  # what the page's script computes back


def test_the_peak_is_the_first_highest_anonymous_size():
    """The peak's mark stands on the anonymous line, with its size in words."""
    chart = chart_of([Point(0.0, 9, 1, 1), Point(1.0, 9, 70 * MIB, 1), Point(2.0, 80 * MIB, 70 * MIB, 1)])
    assert chart.peak[:2] == corners(chart.anon)[1]
    assert chart.peak[2] == "70.0 MiB"


def test_a_budget_above_everything_is_still_seen():
    """The budget line fits into the drawing even where the program stayed far below it, and above the memory."""
    chart = chart_of(rising(20, top=10 * MIB), budget_bytes=1000 * MIB)
    assert chart.top <= chart.budget_y < min(y for _x, y in corners(chart.rss))


@pytest.mark.parametrize(
    "seconds", [0.0004, 0.003, 0.07, 1.5, 11.0, 95.0, 130.0, 700.0, 5000.0, 9 * 3600.0, 5 * 86400.0]
)
def test_time_marks_are_round_few_and_different(seconds):
    """There are one to nine time marks, they start at 0, and no two of them read the same."""
    labels = [mark.label for mark in chart_of(rising(10, seconds)).x_marks]
    assert labels[0] == "0"
    assert 1 <= len(labels) <= 9
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("top", [0, 1, 5000, 3 * MIB, 77 * MIB, 3 * units.GIB, 5 * units.TIB, 4000 * units.TIB])
def test_size_marks_are_round_few_and_different(top):
    """There are two to seven size marks in steps of 1, 2 or 5, and no two of them read the same."""
    labels = [mark.label for mark in chart_of(rising(10, top=top)).y_marks]
    assert labels[0] == "0 B"
    assert 2 <= len(labels) <= 7
    assert len(set(labels)) == len(labels)
    numbers = [float(label.split()[0]) for label in labels[1:]]
    assert f"{numbers[0]:e}"[0] in "125"


def test_memory_that_was_never_there_is_a_flat_line():
    """All zeros draw a line on the floor, not an error."""
    chart = chart_of([Point(0.0, 0, 0, 0), Point(0.0, 0, 0, 0)])
    assert {y for _x, y in corners(chart.anon)} == {chart.bottom}
