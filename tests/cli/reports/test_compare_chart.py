"""cli.reports.compare_chart: points to coordinates, with marks, names and the way to the target."""

from __future__ import annotations

import itertools
import re
import runpy
from pathlib import Path

import pytest

from flatwater.cli.reports.compare_chart import LABEL_GAP, LEFT, TOP, X_MARK_GAP, drawing_of
from flatwater.proof.points import ScenarioFailed

HELPERS = runpy.run_path(str(Path(__file__).parents[2] / "proof" / "compared.py"))
compared, fails_from = HELPERS["compared"], HELPERS["fails_from"]
MIB = 1 << 20
ERROR = ScenarioFailed("it failed.", n=10_000)


def corners(path):
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[0-9.]+),(-?[0-9.]+)", path)]


def two(**options):
    return compared({"all": lambda n: 400 * n, "batched": lambda n: MIB}, **options)


def test_linear_axes_begin_at_zero():
    """The place of a point is in proportion to n and to its bytes."""
    chart = drawing_of(two(), log=False)
    assert (chart.x_marks[0].at, chart.x_marks[0].label) == (LEFT, "0")
    assert (chart.y_marks[0].at, chart.y_marks[0].label) == (chart.bottom, "0")
    line = corners(chart.series[0].path)
    assert len(line) == 5
    assert line[-1][0] == chart.right
    assert (line[-1][0] - LEFT) / (line[0][0] - LEFT) == pytest.approx(16, rel=0.01)
    heights = [chart.bottom - y for _x, y in line]
    assert heights[-1] / heights[0] == pytest.approx((12 * MIB + 64e6) / (12 * MIB + 4e6), rel=0.02)
    assert chart.series[0].projected == ""
    assert chart.budget_y == -1


def test_logarithmic_axes_space_doublings_evenly():
    """And their marks are the sizes that were measured."""
    chart = drawing_of(two(), log=True)
    xs = [x for x, _y in corners(chart.series[1].path)]
    steps = {round(after - before) for before, after in itertools.pairwise(xs)}
    assert max(steps) - min(steps) <= 1
    assert [mark.label for mark in chart.x_marks] == ["10k", "20k", "40k", "80k", "160k"]


@pytest.mark.parametrize("log", [False, True])
def test_everything_is_inside(log):
    """Whatever the figures: points, marks, budget and names lie in the box, and no two names on each other."""
    formulas = {f"scenario {number}": (lambda n, factor=number: 40 * factor * n) for number in range(20)}
    found = compared(formulas, target="10M", budget="256 MiB")
    chart = drawing_of(found, log=log)
    for series in chart.series:
        for x, y in corners(series.path) + corners(series.projected):
            assert LEFT <= x <= chart.right + 0.1
            assert TOP - 0.1 <= y <= chart.bottom + 0.1
        assert series.label_at[0] + 7 * len(series.label) <= chart.width
    places = sorted(series.label_at[1] for series in chart.series)
    assert all(b - a >= LABEL_GAP - 0.2 for a, b in itertools.pairwise(places))
    assert places[0] > 0
    assert places[-1] <= chart.height
    for marks, low, high in ((chart.x_marks, LEFT, chart.right), (chart.y_marks, TOP, chart.bottom)):
        assert 2 <= len(marks) <= 12
        assert all(low - 0.1 <= mark.at <= high + 0.1 for mark in marks)
    assert TOP <= chart.budget_y <= chart.bottom


def test_names_of_marks_have_room():
    """Marks below that lie too close have given way to larger ones."""
    chart = drawing_of(two(sizes=[10_000, 10_500, 11_000, 20_000, 40_000], target="1G"), log=True)
    places = [mark.at for mark in chart.x_marks]
    assert all(b - a >= X_MARK_GAP for a, b in itertools.pairwise(places))
    assert chart.x_marks[-1].label == "1G"


def test_the_way_to_the_target():
    """On logarithmic axes a line goes on from its last point to the target; a constant goes on level."""
    chart = drawing_of(two(target="10M", budget="256 MiB"), log=True)
    rising, level = (corners(series.projected) for series in chart.series)
    assert rising[0] == corners(chart.series[0].path)[-1]
    assert rising[-1][0] == chart.right
    assert rising[-1][1] < chart.budget_y < rising[0][1]
    assert len({y for _x, y in level}) == 1
    assert "3.7 GiB" in chart.series[0].label


def test_what_failed_keeps_its_colour_and_its_points():
    """Colours go by the order of the scenarios, whoever has no points; one point has a dot and no line."""
    found = compared({"a": fails_from(1, ERROR), "b": lambda n: 400 * n, "c": fails_from(20_000, ERROR)}, target="10M")
    chart = drawing_of(found, log=True)
    assert [series.colour for series in chart.series] == [1, 2]
    assert (chart.series[1].path, len(chart.series[1].dots)) == ("", 1)
    assert chart.series[1].projected == ""
    assert drawing_of(compared({name: fails_from(1, ERROR) for name in "ab"}), log=False) is None


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("size", [0, 1, 3, 10**15])
def test_extremes(size, log):
    """Peaks of nothing and of a petabyte, sizes from 1 on: there is a drawing."""
    found = compared(
        {"a": lambda n: size, "b": lambda n: (size, 2 * size)}, commands={"a", "b"}, sizes="1..16", repeat=1
    )
    chart = drawing_of(found, log=log)
    assert len(chart.series) == 2
    assert all(mark.label for mark in chart.y_marks)
