"""cli.reports.tour_chart: a step's curves as paths."""

from __future__ import annotations

from flatwater.cli.reports.tour_chart import HEIGHT, LEFT, WIDTH, chart_of
from flatwater.tour.curve import Curve

MIB = 1 << 20
HOUSE, ALONE, NAIVE = Curve((1.0, 2.0), (MIB, 2 * MIB)), Curve((1.0,), (MIB,)), Curve((0.1, 0.5), (5 * MIB, 12 * MIB))


def test_all_curves_are_in_the_box():
    """From the axis on; the promise is a line below the top, and the twin's end is where its path ends."""
    chart = chart_of(10 * MIB, HOUSE, ALONE, NAIVE)
    assert chart.house.startswith(f"M{float(LEFT)},{float(chart.bottom)}L")
    assert chart.house_area.endswith(f",{chart.bottom}Z")
    points = [point.split(",") for path in (chart.house, chart.alone, chart.naive) for point in path[1:].split("L")]
    assert all(LEFT <= float(x) <= WIDTH and 0 <= float(y) <= HEIGHT for x, y in points)
    assert chart.naive.endswith(f"L{chart.naive_end[0]},{chart.naive_end[1]}")
    assert chart.naive_end[1] < chart.promise_y < chart.bottom
    assert (chart.y_marks[0].label, chart.x_marks[0].label) == ("0 B", "0")
    assert len(chart.y_marks) <= 5


def test_what_was_not_sampled_has_no_path():
    """And where nothing was, there is no drawing."""
    chart = chart_of(10 * MIB, Curve(), ALONE, Curve(), 4.0)
    assert (chart.house, chart.house_area, chart.naive, chart.naive_end) == ("", "", "", None)
    assert chart_of(10 * MIB, Curve(), Curve(), Curve()) is None
