"""Turn a comparison into the lines of a drawing: peaks over n, once with linear axes, once with logarithmic ones.

Covers:     scaled points, axis marks, names at the ends of lines, the way on to the target.
Not here:   colours and the page (`compare_html`), memory over time (`chart`), PNG (`proof.charts`).
Holds:      a few strings for each scenario.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flatwater import units
from flatwater.cli.reports.chart import Mark
from flatwater.cli.reports.chart import sizes as round_sizes
from flatwater.proof.charts import count_label
from flatwater.proof.comparison import Comparison

WIDTH, HEIGHT = 960, 400
LEFT, TOP, BOTTOM = 78, 16, 50
LETTER = 7.1  # units of the box that a letter of a name takes
LABEL_GAP = 17.0  # between the names of two lines
NAME_LETTERS = 22
X_MARK_GAP = 46.0  # between the middles of two labels
PROJECTED_STEPS = 24
LOG_MARKS_MAX = 7
MARKS_MAX = 8


@dataclass(frozen=True, slots=True)
class Series:
    """One scenario's line.

    Attributes:
        colour: its number, as the page's classes have them.
        path: through the measured points; empty for one point alone.
        projected: from the last of them to the target; empty without one.
        dots: `(x, y, words)` of each measured point.
        label: its name, and the last figure.
        label_at: `(x, y)` of that.
        end_y: where its line ends.
    """

    colour: int
    path: str
    projected: str
    dots: list[tuple[float, float, str]]
    label: str
    label_at: tuple[float, float]
    end_y: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything a template draws; coordinates in a box of `WIDTH` by `HEIGHT`."""

    series: list[Series]
    x_marks: list[Mark]
    y_marks: list[Mark]
    budget_y: float  # -1 without one
    right: float
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


@dataclass(slots=True)
class _Line:
    name: str
    colour: int
    measured: list[tuple[float, float]]
    projected: list[tuple[float, float]] = field(default_factory=list)

    @property
    def all(self) -> list[tuple[float, float]]:
        return self.measured + self.projected


def drawing_of(comparison: Comparison, *, log: bool) -> Drawing | None:
    """The drawing; None if no scenario has a point. Only the logarithmic one goes on to the target."""
    numbered = enumerate(comparison.scenarios)
    lines = [line for colour, name in numbered if (line := _line(comparison, name, colour, projected=log)).measured]
    if not lines:
        return None
    ns = [n for line in lines for n, _size in line.all]
    sizes = [size for line in lines for _n, size in line.all]
    if comparison.budget_bytes:
        sizes.append(comparison.budget_bytes)
    labels = [f"{_short(line.name)} {units.format_bytes(line.all[-1][1])}" for line in lines]
    right = WIDTH - 20 - LETTER * max(map(len, labels))
    floor = HEIGHT - BOTTOM
    if log:
        low, high = min(max(size, 1.0) for size in sizes) / 1.6, max(*sizes, 2.0) * 1.3
        x = _scale(min(ns), max(ns), LEFT + 14, right, math.log)
        y = _scale(low, high, floor, TOP, math.log)
        y_marks = [Mark(y(size), _short_size(size)) for size in _powers(low, high)]
        x_values = _log_ns(comparison, lines)
    else:
        high = max(*sizes, 1.0) * 1.06
        x = _scale(0, max(ns), LEFT, right, float)
        y = _scale(0, high, floor, TOP, float)
        y_marks = [Mark(y(size), _short_size(size)) for size in round_sizes(high)]
        x_values = _round_ns(max(ns))
    ends = _apart([y(line.all[-1][1]) for line in lines], floor)
    return Drawing(
        series=[
            Series(
                colour=line.colour,
                path=_path(line.measured, x, y),
                projected=_path([line.measured[-1], *line.projected], x, y),
                dots=[
                    (x(n), y(size), f"{line.name}, n={n:,.0f}: {units.format_bytes(size)}") for n, size in line.measured
                ],
                label=label,
                label_at=(right + 10, end + 4),
                end_y=y(line.all[-1][1]),
            )
            for line, label, end in zip(lines, labels, ends, strict=True)
        ],
        x_marks=_marks(x_values, x),
        y_marks=y_marks,
        budget_y=y(comparison.budget_bytes) if comparison.budget_bytes else -1.0,
        right=round(right, 1),
    )


def _line(comparison: Comparison, name: str, colour: int, *, projected: bool) -> _Line:
    line = _Line(name, colour, [(float(point.n), float(point.peak_bytes)) for point in comparison.points(name)])
    proof, target = comparison.proofs.get(name), comparison.target
    if projected and proof is not None and target is not None and target > line.measured[-1][0]:
        first = line.measured[-1][0]
        steps = (first * (target / first) ** (step / PROJECTED_STEPS) for step in range(1, PROJECTED_STEPS + 1))
        line.projected = [(n, float(proof.projection.peak_at(round(n)))) for n in steps]
    return line


def _scale(
    low: float, high: float, at_low: float, at_high: float, shape: Callable[[float], float]
) -> Callable[[float], float]:
    span = (shape(high) - shape(low)) or 1.0

    def place(value: float) -> float:
        value = max(value, low) if shape is math.log else value
        return round(at_low + (shape(value) - shape(low)) / span * (at_high - at_low), 1)

    return place


def _path(points: Sequence[tuple[float, float]], x: Callable[[float], float], y: Callable[[float], float]) -> str:
    return "M" + "L".join(f"{x(n)},{y(size)}" for n, size in points) if len(points) > 1 else ""


def _apart(places: list[float], floor: float) -> list[float]:
    """Where names stand so that none lies on another: from the lowest up, and down again from the top if there is no room."""
    order = sorted(range(len(places)), key=lambda index: -places[index])
    found = list(places)
    below = floor + LABEL_GAP
    for index in order:
        found[index] = below = min(places[index], below - LABEL_GAP)
    above = TOP - LABEL_GAP / 2
    for index in reversed(order):
        found[index] = above = max(found[index], above + LABEL_GAP)
    return [round(place, 1) for place in found]


def _marks(values: Sequence[float], x: Callable[[float], float]) -> list[Mark]:
    """From the largest down, those that have room for their labels."""
    found: list[Mark] = []
    for value in sorted(values, reverse=True):
        at = x(value)
        if not found or found[-1].at - at >= X_MARK_GAP:
            found.append(Mark(at, count_label(float(f"{value:.3g}"))))
    return found[::-1]


def _round_ns(highest: float) -> list[float]:
    """Steps of 1, 2 or 5 times ten."""
    step = 10.0 ** math.floor(math.log10(highest))
    step = next(step * factor for factor in (0.1, 0.2, 0.5, 1, 2) if highest / (step * factor) <= MARKS_MAX)
    step = max(step, 1.0)
    return [index * step for index in range(int(highest / step + 1e-9) + 1)]


def _log_ns(comparison: Comparison, lines: Sequence[_Line]) -> list[float]:
    """The measured sizes and the target; between the two, powers of ten."""
    measured = sorted({n for line in lines for n, _size in line.measured})
    if comparison.target is None or comparison.target <= measured[-1]:
        return measured
    exponents = range(math.floor(math.log10(measured[-1])) + 1, math.ceil(math.log10(comparison.target)))
    return [*measured, *(10.0**exponent for exponent in exponents), float(comparison.target)]


def _powers(low: float, high: float) -> list[float]:
    """Powers of two of one step, a power of two as well."""
    first, last = math.ceil(math.log2(low)), math.floor(math.log2(high))
    step = next(step for step in (1, 2, 5, 10, 20, 60) if (last - first) // step < LOG_MARKS_MAX)
    return [2.0**exponent for exponent in range(first + -first % step, last + 1, step)]


def _short_size(size: float) -> str:
    return units.format_bytes(size).replace(".0 ", " ") if size else "0"


def _short(name: str) -> str:
    return name if len(name) <= NAME_LETTERS else "..." + name[3 - NAME_LETTERS :]
