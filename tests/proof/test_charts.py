"""proof.charts: what is drawn has the proportions of the figures, and a file is whole or not there."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest

from flatwater import errors, units
from flatwater.proof import charts

pytest.importorskip("matplotlib", reason="NO MATPLOTLIB: charts are not looked at (pip install 'flatwater[report]')")
MIB = units.MIB


def picture(path):
    """Rows of pixels, each three numbers from 0 to 255."""
    from matplotlib import image

    return (image.imread(path)[..., :3] * 255).round().astype(int)


def colour(text):
    return np.array([int(text[at : at + 2], 16) for at in (1, 3, 5)])


def where(pixels, text):
    return np.abs(pixels - colour(text)).max(axis=2) < 12


def test_bars_are_as_long_as_their_figures(tmp_path):
    """A size twice as large has a bar twice as long, to a hundredth; nothing has none."""
    path = tmp_path / "bars.png"
    charts.bars(str(path), "sizes", [("all", 400 * MIB), ("half", 200 * MIB), ("none", 0)])
    drawn = where(picture(path), charts.COLOURS[0]).sum(axis=1)
    lengths = sorted({int(length) for length in drawn if length > 50})
    assert lengths[0] == pytest.approx(lengths[-1] / 2, rel=0.01)


def test_kinds_have_colours_and_stand_together(tmp_path):
    """Each kind has its own colour, by order or as told; rows of one label are nearer to each other than to the next."""
    path = tmp_path / "kinds.png"
    rows = [("a", 10 * MIB), ("a", 10 * MIB), ("b", 10 * MIB)]
    charts.bars(str(path), "kinds", rows, kinds=["RSS", "traced", "RSS"], colours={"traced": "#E69F00"})
    pixels = picture(path)
    first, told = (np.flatnonzero(where(pixels, text).sum(axis=1) > 50) for text in (charts.KIND_COLOURS[0], "#E69F00"))
    next_group = first[first > told.max()].min()
    assert first.min() < told.min()
    assert next_group - told.max() > told.min() - first[first < told.min()].max()


@pytest.mark.slow
def test_a_log_axis_shows_small_figures(tmp_path):
    """Where a linear axis draws a thousandth as nothing, a logarithmic one draws a bar."""
    lengths = {}
    for log in (False, True):
        path = tmp_path / f"log-{log}.png"
        charts.bars(str(path), "sizes", [("large", 1000 * MIB), ("small", MIB)], log=log)
        drawn = where(picture(path), charts.COLOURS[0]).sum(axis=1)
        lengths[log] = sorted(int(length) for length in drawn if length)
    assert lengths[False][0] <= 5
    assert lengths[True][0] > 100


def test_lines_rise_with_their_figures(tmp_path):
    """A line that grows ends higher than a flat one; the budget is drawn; both are told apart by colour."""
    path = tmp_path / "lines.png"
    series = {"grows": [(n, n * MIB) for n in (25, 50, 100)], "flat": [(n, 3 * MIB) for n in (25, 50, 100)]}
    charts.lines(str(path), "growth", series, x_label="rows", budget_bytes=64 * MIB)
    pixels = picture(path)[:, :900]  # without the names at the ends
    grows, flat = (np.nonzero(where(pixels, text)) for text in charts.COLOURS[:2])
    assert grows[0][grows[1].argmax()] < flat[0].min() - 200  # the first row is the top
    assert np.ptp(flat[0]) < 30
    assert where(pixels, charts.BUDGET).sum() > 300


def test_unknown_points_are_left_out(tmp_path):
    """A figure below 0 is no point of a line; a line of nothing else is no line, and no line at all is refused."""
    path = str(tmp_path / "lines.png")
    charts.lines(path, "growth", {"a": [(1, -1), (2, MIB)], "b": [(1, -1)]}, x_label="n")
    assert where(picture(path), charts.COLOURS[1]).sum() == 0
    with pytest.raises(errors.UsageError, match="at least one point"):
        charts.lines(path, "growth", {"b": [(1, -1), (float("nan"), 1)]}, x_label="n")


@pytest.mark.parametrize(
    ("rows", "kinds", "says"),
    [
        ([], (), "at least one bar"),
        ([("a", 1)], ("x", "y"), "1 bars have 2 kinds"),
        ([("a", float("inf"))], (), "finite"),
    ],
)
def test_what_cannot_be_drawn_is_refused(tmp_path, rows, kinds, says):
    """No bars, a kind too many, a size without end: a sentence each, and no file."""
    with pytest.raises(errors.UsageError, match=says):
        charts.bars(str(tmp_path / "no.png"), "none", rows, kinds=kinds)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_whole_or_not_there(tmp_path):
    """Where it cannot be written nothing is left behind, and what was there stays."""
    with pytest.raises(errors.BrokenError, match="no such file or directory"):
        charts.bars(str(tmp_path / "none" / "x.png"), "t", [("a", 1)])
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(errors.BrokenError, match="directory"):
        charts.bars(str(tmp_path / "taken.png"), "t", [("a", 1)])
    assert [path.name for path in tmp_path.iterdir()] == ["taken.png"]


@pytest.mark.slow
def test_any_text_can_stand_in_a_chart(tmp_path):
    """Formulas, markup, line ends and very long words are drawn as text, in a picture of the usual width."""
    path = tmp_path / "text.png"
    hostile = "$\\frac{1}{0}$ <b>&amp;\n" + "long " * 60
    charts.bars(str(path), hostile, [(hostile, 1), ("", 2)], kinds=["$x", "_y"], note="$")
    charts.lines(str(tmp_path / "lines.png"), hostile, {"$a_b": [(1, 1)], "": [(1, 1)]}, x_label="$n", note="$")
    assert picture(path).shape[1] == charts.WIDTH_IN * charts.DPI


@pytest.mark.slow
def test_threads_draw_at_once(tmp_path):
    """Four threads draw the same chart and get the same bytes: no state of matplotlib is shared."""
    paths = [tmp_path / f"{index}.png" for index in range(4)]
    draw = [threading.Thread(target=charts.bars, args=(str(path), "t", [("a", 10), ("b", 20)])) for path in paths]
    for thread in draw:
        thread.start()
    for thread in draw:
        thread.join()
    assert len({path.read_bytes() for path in paths}) == 1


@pytest.mark.slow
def test_pyplot_is_never_imported(tmp_path):
    """No window system, no global figures: pyplot stays out of the process, and importing charts imports no matplotlib."""
    code = (
        "import sys; from flatwater.proof import charts; assert 'matplotlib' not in sys.modules; "
        f"charts.bars({str(tmp_path / 'x.png')!r}, 't', [('a', 1)]); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_without_matplotlib_the_extra_is_named(monkeypatch, tmp_path):
    """A missing matplotlib is an error with the line that installs it, before and while drawing."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(errors.MissingExtra, match=r"flatwater\[report\]"):
        charts.require()
    with pytest.raises(errors.MissingExtra, match="matplotlib"):
        charts.bars(str(tmp_path / "x.png"), "t", [("a", 1)])


def test_rates_are_points_with_their_figures(tmp_path, monkeypatch):
    """Throughput against memory: a point for each way, named with both figures; what is unknown is left out."""
    drawn = []
    monkeypatch.setattr(charts, "_write", lambda figure, _path: drawn.append(figure))
    points = [("collect", 64 << 20, 70_123.0), ("short", 512 << 10, 99_700.0), ("unknown", -1, 5.0)]
    charts.rates(str(tmp_path / "r.png"), "Rates", points, item="entries", memory="traced peak")
    (axes,) = drawn[0].axes
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["collect\n64.0 MiB, 70.1k/s", "short\n512 KiB, 99.7k/s"]
    assert axes.get_xscale() == "log"
    assert axes.get_ylabel() == "entries a second"


def test_rates_without_points_are_refused(tmp_path):
    """Nothing to draw is an error, as for the other charts."""
    with pytest.raises(errors.UsageError, match="at least one point"):
        charts.rates(str(tmp_path / "r.png"), "Rates", [("x", -1, 1.0)], item="entries", memory="RSS")
