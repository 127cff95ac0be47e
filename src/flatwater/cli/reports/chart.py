"""Turn a history into the lines of a drawing: scaled points, round axis marks, a budget line.

Covers:     memory over time, as SVG path data in a fixed box.
Not here:   colours and pages (`run_html`).
Holds:      a few strings, as long as the history is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from flatwater import units
from flatwater.meter.timeline import Point

WIDTH, HEIGHT = 960, 340
LEFT, RIGHT, TOP, BOTTOM = 74, 20, 18, 34
MARKS_MAX = 6
LABEL_HEIGHT = 24  # with the distance it keeps
DURATION_STEPS = (
    0.001,
    0.002,
    0.005,
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    20,
    30,
    60,
    120,
    300,
    600,
    1800,
    3600,
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on an axis, and its label."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything a template draws; coordinates in a box of `WIDTH` by `HEIGHT`.

    Attributes:
        rss: path of the resident size.
        anon: path of the highest anonymous size.
        band: closed path between the highest and the lowest anonymous size.
        area: closed path below the anonymous size.
        x_marks: times.
        y_marks: sizes.
        budget_y: where the budget line is; -1 without one.
        peak: `(x, y, label)` of the highest anonymous size.
        peak_label_y: where that label stands clear of both lines.
        x_scale: units of the box a second.
        y_scale: units of the box a byte.
    """

    rss: str
    anon: str
    band: str
    area: str
    x_marks: list[Mark]
    y_marks: list[Mark]
    budget_y: float
    peak: tuple[float, float, str]
    peak_label_y: float
    x_scale: float
    y_scale: float
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def chart_of(points: Sequence[Point], *, budget_bytes: int = 0) -> Chart | None:
    """The drawing of a history of at least two points; None for less."""
    if len(points) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    seconds = max(points[-1].t_s, 1e-3)
    highest = max(*(point.rss_max for point in points), budget_bytes, 1) * 1.06
    x_scale = (WIDTH - LEFT - RIGHT) / seconds
    y_scale = (HEIGHT - TOP - BOTTOM) / highest
    floor = HEIGHT - BOTTOM

    def x(t_s: float) -> float:
        return round(LEFT + t_s * x_scale, 1)

    def y(size: float) -> float:
        return round(floor - size * y_scale, 1)

    highs = [f"{x(point.t_s)},{y(point.anon_max)}" for point in points]
    lows = [f"{x(point.t_s)},{y(point.anon_min)}" for point in reversed(points)]
    anon = "M" + "L".join(highs)
    top = max(points, key=lambda point: point.anon_max)
    return Chart(
        rss="M" + "L".join(f"{x(point.t_s)},{y(point.rss_max)}" for point in points),
        anon=anon,
        band=anon + "L" + "L".join(lows) + "Z",
        area=f"{anon}L{x(points[-1].t_s)},{floor}L{x(points[0].t_s)},{floor}Z",
        x_marks=[Mark(x(t_s), time_label(t_s)) for t_s in times(seconds)],
        y_marks=[Mark(y(size), units.format_bytes(size)) for size in sizes(highest)],
        budget_y=y(budget_bytes) if budget_bytes else -1.0,
        peak=(x(top.t_s), y(top.anon_max), units.format_bytes(top.anon_max)),
        peak_label_y=y(top.rss_max) - 10 if y(top.rss_max) > TOP + LABEL_HEIGHT else y(top.anon_max) + 22,
        x_scale=x_scale,
        y_scale=y_scale,
    )


def times(seconds: float) -> list[float]:
    """Round times up to `seconds`, for the marks of an axis."""
    step = next((step for step in DURATION_STEPS if seconds / step <= MARKS_MAX + 2), None)
    if step is None:
        step = math.ceil(seconds / MARKS_MAX / 3600) * 3600.0
    return [index * step for index in range(int(seconds / step) + 1)]


def time_label(t_s: float) -> str:
    """A time as an axis says it."""
    return "0" if t_s == 0 else f"{t_s:g} s" if 1 <= t_s < 120 else units.format_duration(t_s)  # noqa: PLR2004 - two minutes


def sizes(highest: float) -> list[int]:
    """Round sizes for the marks of an axis: steps of 1, 2 or 5 times ten in a binary unit, the ones people read."""
    step = 1
    for unit in (1, units.KIB, units.MIB, units.GIB, units.TIB):
        for factor in (1, 2, 5, 10, 20, 50, 100, 200, 500):
            step = factor * unit
            if highest / step <= MARKS_MAX:
                return [index * step for index in range(int(highest / step) + 1)]
    return [0, step]
