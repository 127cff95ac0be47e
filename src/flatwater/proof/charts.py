"""PNG charts of sizes: growth with n as lines, figures side by side as bars.

Covers:     drawing them; throughput against memory as points; writing a file whole or not at all.
Not here:   charts inside a page (`cli.reports.chart` draws SVG), what the figures mean.
Holds:      one picture while it is drawn: about 4 MiB, and matplotlib itself, about 40 MiB.

Colours are those of Okabe and Ito ("Color Universal Design", 2008), which people who cannot tell red from green can tell.
"""

from __future__ import annotations

import importlib.util
import io
import math
import os
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flatwater import errors, units

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
KIND_COLOURS = ("#0072B2", "#7FBFE3", "#C9D2DA", "#E69F00", "#009E73", "#CC79A7")
MARKERS = ("o", "s", "^", "D", "v", "P")  # beside the colour, so that a grey print can be read as well
INK, SOFT, FAINT, BUDGET = "#16202a", "#5b6876", "#dfe5ea", "#c0362c"
WIDTH_IN, DPI = 9.0, 150
MARGIN_IN, TITLE_LINE_IN, NOTE_LINE_IN = 0.14, 0.27, 0.2
BAR_IN = 0.3  # the height that one bar takes
LABEL_GAP_PT = 12.0  # between two names at the ends of lines
MARKS_MAX = 6
LOG_STEP = 32  # 1 KiB, 32 KiB, 1 MiB, 32 MiB, 1 GiB
TITLE_LETTERS, LABEL_LETTERS = 72, 30  # of a line, before it goes on in the next
BEHIND = {"facecolor": "white", "linewidth": 0, "pad": 1.5}  # of words, so that no grid line crosses them

Line = Sequence[tuple[float, float]]


def lines(
    path: str, title: str, series: Mapping[str, Line], *, x_label: str, budget_bytes: int | None = None, note: str = ""
) -> None:
    """Write sizes that depend on n, each series a line with its name at the end. Both axes are linear, from zero.

    Args:
        path: of the PNG file; one that is there stays until the new one is complete.
        title: above the chart.
        series: a name, and `(n, bytes)` for each point; points without a figure (below 0) are left out.
        x_label: what n counts.
        budget_bytes: drawn as a dashed line, if given.
        note: a line below the title.

    Raises:
        MissingExtra: matplotlib is not installed.
        UsageError: there is nothing to draw.
        BrokenError: the file cannot be written.

    Thread-safe: no state of matplotlib is shared. Bounded: a picture has a fixed size, whatever is drawn.
    """
    drawn = {name: [point for point in sorted(line) if _is_drawable(point)] for name, line in series.items()}
    drawn = {name: line for name, line in drawn.items() if line}
    if not drawn:
        raise errors.UsageError("a chart needs at least one point.")
    highest_x = max(n for line in drawn.values() for n, _size in line) or 1
    highest_y = max([size for line in drawn.values() for _n, size in line] + [budget_bytes or 0]) or 1
    figure, axes = _figure(4.4, title, note)
    axes.set_xlim(0, highest_x * 1.02)
    axes.set_ylim(0, highest_y * 1.08)
    axes.set_xlabel(x_label, color=SOFT, fontsize=10)
    axes.xaxis.set_major_formatter(lambda value, _position: count_label(value))
    _size_axis(axes.yaxis, highest_y)
    axes.grid(visible=True, axis="y", color=FAINT, linewidth=0.8)
    axes.spines["bottom"].set_color(SOFT)
    if budget_bytes:
        axes.axhline(budget_bytes, color=BUDGET, linewidth=1.4, linestyle=(0, (6, 4)))
        words = f"budget {units.format_bytes(budget_bytes)}"
        axes.annotate(words, (0.01, budget_bytes), xycoords=("axes fraction", "data"), xytext=(0, 4), textcoords="offset points",
                      color=BUDGET, fontsize=9.5)  # fmt: skip
    for index, line in enumerate(drawn.values()):
        colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
        xs, ys = [n for n, _size in line], [size for _n, size in line]
        axes.plot(xs, ys, color=colour, marker=marker, markersize=5.5, linewidth=2, clip_on=False, zorder=3)
    _name_the_ends(figure, axes, drawn)
    _write(figure, path)


def bars(
    path: str,
    title: str,
    rows: Sequence[tuple[str, float]],
    *,
    kinds: Sequence[str] = (),
    colours: Mapping[str, str] | None = None,
    log: bool = False,
    note: str = "",
) -> None:
    """Write sizes side by side, each a bar with its figure behind it.

    Args:
        path: of the PNG file; one that is there stays until the new one is complete.
        title: above the chart.
        rows: a label and bytes, from top to bottom; below 0 is unknown, and said.
        kinds: what each row's figure is, such as "RSS"; rows that follow each other with the same label then stand
            together, and a kind has its colour.
        colours: of the kinds; those that have none get one by their order.
        log: a logarithmic axis, which says so; for figures that a linear one would all but one draw as nothing.
        note: a line below the title.

    Raises:
        MissingExtra: matplotlib is not installed.
        UsageError: there is nothing to draw, or not one kind a row.
        BrokenError: the file cannot be written.

    Thread-safe: no state of matplotlib is shared. Bounded: a picture grows by a few lines a row.
    """
    if not rows:
        raise errors.UsageError("a chart needs at least one bar.")
    if kinds and len(kinds) != len(rows):
        raise errors.UsageError(f"{len(rows)} bars have {len(kinds)} kinds.", hint="Give each bar one.")
    if not all(math.isfinite(size) for _label, size in rows):
        raise errors.UsageError("a bar has a size that is no finite number.")
    places, ends = _places(rows, kinds)
    figure, axes = _figure(0.75 + BAR_IN * (max(places) + 1), title, note)
    highest = max(*(size for _label, size in rows), 1.0)
    if log:
        low = min([size for _label, size in rows if size > 0], default=1.0)
        axes.set_xscale("log", base=2)
        axes.set_xlim(low / 4, highest * (highest / low * 4) ** 0.22)
        words = f"log scale: each mark is {LOG_STEP} times the one before"
        axes.set_xlabel(words, color=SOFT, fontsize=10)
    else:
        axes.set_xlim(0, highest * 1.22)
    _size_axis(axes.xaxis, highest, log=log)
    axes.grid(visible=True, axis="x", color=FAINT, linewidth=0.8)
    coloured = {kind: KIND_COLOURS[place % len(KIND_COLOURS)] for place, kind in enumerate(dict.fromkeys(kinds))}
    coloured.update(colours or {})
    for index, ((_label, size), place) in enumerate(zip(rows, places, strict=True)):
        colour = coloured[kinds[index]] if kinds else COLOURS[0]
        axes.barh(place, max(size, 0), height=0.8, color=colour, zorder=3)
        words = units.format_bytes(size) if size >= 0 else "unknown"
        at = (max(size, axes.get_xlim()[0]), place)
        figure_text = axes.annotate(words, at, xytext=(5, 0), textcoords="offset points", va="center", color=INK,
                                    fontsize=10, fontweight="bold", zorder=4, bbox=BEHIND)  # fmt: skip
        if kinds:
            axes.annotate(kinds[index], (1, 0.5), xycoords=figure_text, xytext=(6, 0), textcoords="offset points",
                          va="center", color=SOFT, fontsize=9.5, zorder=4, bbox=BEHIND)  # fmt: skip
    axes.set_ylim(max(places) + 0.6, -0.6)
    axes.set_yticks([middle for _label, middle in ends], [_wrapped(label, LABEL_LETTERS) for label, _middle in ends])
    axes.tick_params(axis="y", labelsize=10.5, labelcolor=INK, pad=8)
    axes.spines["left"].set_color(SOFT)
    _write(figure, path)


def rates(
    path: str, title: str, points: Sequence[tuple[str, float, float]], *, item: str, memory: str, note: str = ""
) -> None:
    """Write throughput against memory: a point for each way to do the work, the best ones top left.

    Args:
        path: of the PNG file; one that is there stays until the new one is complete.
        title: above the chart.
        points: a label, bytes and items a second. Bytes are on a logarithmic axis.
        item: what is counted, in the plural.
        memory: which figure the bytes are.
        note: a line below the title.

    Raises:
        MissingExtra: matplotlib is not installed.
        UsageError: there is nothing to draw.
        BrokenError: the file cannot be written.
    """
    drawn = [(label, size, rate) for label, size, rate in points if _is_drawable((size, rate)) and size > 0]
    if not drawn:
        raise errors.UsageError("a chart needs at least one point.")
    figure, axes = _figure(4.0, title, note)
    sizes, fastest = [size for _label, size, _rate in drawn], max(rate for _label, _size, rate in drawn)
    axes.set_xscale("log", base=2)
    axes.set_xlim(min(sizes) / 2, max(sizes) * 2)
    axes.set_ylim(0, fastest * 1.2)
    axes.set_xlabel(f"{memory}; log scale: each mark is {LOG_STEP} times the one before", color=SOFT, fontsize=10)
    axes.set_ylabel(f"{item} a second", color=SOFT, fontsize=10)
    axes.yaxis.set_major_formatter(lambda value, _position: count_label(value))
    _size_axis(axes.xaxis, max(sizes), log=True)
    axes.grid(visible=True, color=FAINT, linewidth=0.8)
    for place, (label, size, rate) in enumerate(drawn):
        words = f"{_wrapped(label, LABEL_LETTERS)}\n{units.format_bytes(size)}, {count_label(round(rate, -2))}/s"
        axes.plot([size], [rate], MARKERS[place % len(MARKERS)], color=COLOURS[place % len(COLOURS)], markersize=10,
                  linestyle="none", zorder=3, label=words)  # fmt: skip
    axes.legend(
        loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=10, labelcolor=INK, labelspacing=0.9
    )
    _write(figure, path)


def count_label(count: float) -> str:
    """A number of items as an axis says it.

    >>> [count_label(count) for count in (0, 500, 25_000, 1_500_000, 10**10)]
    ['0', '500', '25k', '1.5M', '10G']
    """
    for factor, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if abs(count) >= factor:
            return f"{count / factor:g}{letter}"
    return f"{count:g}"


def require() -> None:
    """Raise MissingExtra now if charts cannot be drawn later: before an hour of measuring."""
    if importlib.util.find_spec("matplotlib") is None:
        raise errors.MissingExtra("report", "matplotlib")


def _is_drawable(point: tuple[float, float]) -> bool:
    n, size = point
    return math.isfinite(n) and math.isfinite(size) and size >= 0


def _places(rows: Sequence[tuple[str, float]], kinds: Sequence[str]) -> tuple[list[float], list[tuple[str, float]]]:
    """Where each bar stands, and each label with the middle of its bars."""
    places: list[float] = []
    groups: list[tuple[str, list[float]]] = []
    at = 0.0
    for label, _size in rows:
        together = bool(kinds and groups and groups[-1][0] == label)
        if groups:
            at += 1.0 if together or not kinds else 1.55
        if not together:
            groups.append((label, []))
        groups[-1][1].append(at)
        places.append(at)
    return places, [(label, sum(members) / len(members)) for label, members in groups]


def _figure(height_in: float, title: str, note: str) -> tuple[Figure, Axes]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError as error:
        raise errors.MissingExtra("report", "matplotlib") from error
    words = _wrapped(title, TITLE_LETTERS)
    title_in = TITLE_LINE_IN * (words.count("\n") + 1)
    top_in = MARGIN_IN + title_in + (NOTE_LINE_IN if note else 0)
    whole_in = height_in + top_in
    layout = ConstrainedLayoutEngine(w_pad=MARGIN_IN, h_pad=0.1, rect=(0, 0, 1, height_in / whole_in))
    figure = Figure(figsize=(WIDTH_IN, whole_in), dpi=DPI, facecolor="white", layout=layout)
    FigureCanvasAgg(figure)
    left, top = MARGIN_IN / WIDTH_IN, 1 - MARGIN_IN / whole_in
    figure.text(left, top, words, color=INK, fontsize=13, fontweight="bold", va="top")
    figure.text(left, top - title_in / whole_in, _plain(note), color=SOFT, fontsize=10, va="top")
    axes = figure.add_subplot()
    for spine in axes.spines.values():
        spine.set_color("none")
    axes.tick_params(colors=SOFT, labelsize=10, length=0)
    axes.set_axisbelow(True)
    return figure, axes


def _size_axis(axis: Any, highest: float, *, log: bool = False) -> None:
    """Round marks, all in the one unit that suits the largest: MiB, as a rule."""
    from matplotlib import ticker

    if log:
        axis.set_major_locator(ticker.LogLocator(base=LOG_STEP))
        axis.set_major_formatter(lambda value, _position: units.format_bytes(value).replace(".0 ", " "))
        axis.set_minor_locator(ticker.NullLocator())
        return
    unit, name = next(
        ((unit, name) for unit, name in ((units.MIB, "MiB"), (units.KIB, "KiB")) if highest >= 0.5 * unit), (1, "B")
    )
    locator = ticker.MaxNLocator(MARKS_MAX, steps=[1, 2, 5, 10])
    axis.set_major_locator(ticker.FixedLocator([mark * unit for mark in locator.tick_values(0, highest / unit)]))
    axis.set_major_formatter(lambda value, _position: f"{value / unit:,g} {name}" if value else "0")


def _name_the_ends(figure: Figure, axes: Axes, drawn: Mapping[str, Line]) -> None:
    """Each line's name and last figure beside its end, moved apart where two would lie on each other."""
    height_pt = figure.get_figheight() * 72 * 0.75  # about what the axes get of it
    highest = axes.get_ylim()[1]
    ends = sorted(
        (
            (line[-1][1] / highest * height_pt, index, name, line[-1])
            for index, (name, line) in enumerate(drawn.items())
        ),
        key=lambda end: (end[0], -end[1]),
    )
    below = -math.inf
    right = axes.get_xlim()[1]
    for at_pt, index, name, (_n, size) in ends:
        place_pt = max(at_pt, below + LABEL_GAP_PT)
        below = place_pt
        colour = COLOURS[index % len(COLOURS)]
        axes.annotate(f"{_plain(name)}  {units.format_bytes(size)}", (right, size), xytext=(8, place_pt - at_pt),
                      textcoords="offset points", va="center", color=colour, fontsize=10, fontweight="bold",
                      annotation_clip=False)  # fmt: skip


def _wrapped(text: str, letters: int) -> str:
    return _plain("\n".join(textwrap.wrap(text, letters)) or text)


def _plain(text: str) -> str:
    """Text as it is: a dollar sign would begin a formula."""
    return text.replace("$", r"\$")


def check_name(path: str) -> None:
    """Raise `UsageError` unless the path is that of a PNG."""
    if not path.lower().endswith(".png"):
        raise errors.UsageError(f"{path!r}: the picture is a PNG.", hint="Let its name end in .png.")


def _write(figure: Figure, path: str) -> None:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    temporary = f"{path}.{os.urandom(6).hex()}.tmp"
    try:
        try:
            with open(temporary, "xb") as file:
                file.write(picture.getbuffer())
            os.replace(temporary, path)
        except OSError:
            if os.path.exists(temporary):
                os.unlink(temporary)
            raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise errors.BrokenError(f"{path!r} could not be written: {reason}.") from error
