"""The drawing of one step of a tour: resident bytes over time against its promise, and its naive twin's up to its end.

Covers:     scaled curves, round marks, the line of the promise, where the twin ended.
Not here:   colours and pages (`tour_html`), sampling (`tour.curve`).
Holds:      a few strings, as long as the curves are.
"""

from __future__ import annotations

from dataclasses import dataclass

from flatwater import units
from flatwater.cli.reports.chart import Mark, sizes, time_label, times
from flatwater.tour.curve import Curve

WIDTH, HEIGHT = 480, 232
LEFT, RIGHT, TOP, BOTTOM = 78, 14, 22, 28
_ABOVE = 1.18  # how much higher than the promise the box is at least
_Y_MARKS_MAX, _X_MARKS_MAX = 4, 6


@dataclass(frozen=True, slots=True)
class StepChart:
    """Everything a template draws; coordinates in a box of `WIDTH` by `HEIGHT`.

    Attributes:
        house: path of the step in the one process of the tour.
        house_area: closed path below it.
        alone: path of the step alone, under the limit.
        naive: path of the twin.
        naive_end: where the twin's path ends; None if it has none.
        promise_y: where the line of the promise is.
        x_marks: times.
        y_marks: sizes.
    """

    house: str
    house_area: str
    alone: str
    naive: str
    naive_end: tuple[float, float] | None
    promise_y: float
    x_marks: list[Mark]
    y_marks: list[Mark]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def chart_of(promise: int, house: Curve, alone: Curve, naive: Curve, naive_ended_s: float = 0.0) -> StepChart | None:
    """The drawing; None if nothing was sampled.

    Args:
        promise: of the step, bytes.
        house: the step in the tour.
        alone: the step once more.
        naive: its twin.
        naive_ended_s: when it was over: its last sample may be a moment older.
    """
    curves = (house, alone, naive)
    if not any(curve.t_s for curve in curves):
        return None
    seconds = max(*(max(curve.t_s, default=0.0) for curve in curves), naive_ended_s, 1e-3)
    highest = max(promise, *(curve.peak for curve in curves), 1) * _ABOVE
    floor = HEIGHT - BOTTOM

    def x(t_s: float) -> float:
        return round(LEFT + t_s * (WIDTH - LEFT - RIGHT) / seconds, 1)

    def y(size: float) -> float:
        return round(floor - size * (floor - TOP) / highest, 1)

    def path(curve: Curve) -> str:
        points = [(0.0, 0), *zip(curve.t_s, curve.bytes, strict=True)] if curve.t_s else []
        return "M" + "L".join(f"{x(t_s)},{y(size)}" for t_s, size in points) if points else ""

    round_sizes = sizes(highest)
    round_times = times(seconds)
    every, every_time = -(-len(round_sizes) // _Y_MARKS_MAX), -(-len(round_times) // _X_MARKS_MAX)
    line = path(house)
    return StepChart(
        house=line,
        house_area=f"{line}L{x(house.t_s[-1])},{floor}Z" if line else "",
        alone=path(alone),
        naive=path(naive),
        naive_end=(x(naive.t_s[-1]), y(naive.bytes[-1])) if naive.t_s else None,
        promise_y=y(promise),
        x_marks=[Mark(x(t_s), time_label(t_s)) for t_s in round_times[::every_time]],
        y_marks=[Mark(y(size), units.format_bytes(size)) for size in round_sizes[::every]],
    )
