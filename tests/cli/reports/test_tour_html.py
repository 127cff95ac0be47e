"""cli.reports.tour_html: the page of a tour."""

from __future__ import annotations

import re

import pytest

from flatwater.cli.reports.tour_html import render
from flatwater.tour.curve import Curve
from flatwater.tour.report import Row, TourReport
from flatwater.tour.trial import Run, Trial

pytest.importorskip("jinja2")
MIB = 1 << 20
CURVE = Curve((0.1, 1.0), (MIB, 3 * MIB))


def report(*, naive="killed", name="table", tried=True, **more):
    row = Row(name, 1_000_000, "rows", 50 * MIB, 2.0, 10 * MIB, 3 * MIB, notes=("<b>found</b>",))
    twin = Run(naive, 0.4, 9 * MIB, words="it <died>", baseline={"rss_bytes": 20 * MIB}, curve=CURVE)
    trial = Trial(name, 10 * MIB, Run("done", 1.0, 3 * MIB, curve=CURVE), twin, "flatwater.tour.naive.table")
    left_out = Row("serve", 0, "items", 0, 0.0, 0, 0, notes=("left out: why",), details={"left_out": "why"})
    made = TourReport(
        12 * MIB, 12 * MIB, "cgroup v2", rows=[row, left_out], curves={name: CURVE}, wall_s=9.0, seconds=1.0, **more
    )
    made.is_tried = tried
    made.trials = {name: trial} if tried else {}
    return made


def test_the_table_and_each_step_are_there():
    """The verdict, seven columns, a drawing with three curves, the twin's end and its program, the machine."""
    page = render(report())
    assert "<b>Holds: 3.0 MiB seen of 12.0 MiB promised" in page
    assert re.findall(r"<th>(.*?)</th>", page) == ["step", "items", "bytes", "rate", "promised", "seen", "naive"]
    assert '<td class="died">killed at 10.0 MiB, 400 ms</td>' in page
    for path in ('class="house"', 'class="alone"', 'class="naive"', 'class="promise"', 'class="end"'):
        assert page.count(path) == 1, path
    assert "fetchall" in page
    assert "its baseline: 20.0 MiB resident after its imports" in page
    assert "processors; CPython" in page
    assert "left out: why" in page


def test_a_twin_that_lived_is_no_death():
    """Its curve has no cross."""
    page = render(report(naive="done"))
    assert 'class="end"' not in page
    assert '<td class="lived">finished within the limit' in page
    assert "<b>0 of 1</b>" in page


def test_without_trials_it_is_a_table():
    """As of a tour that died."""
    page = render(report(tried=False, trouble="it was killed", running="flow"))
    assert "The tour died in step &#39;flow&#39;: it was killed" in page
    assert "<th>naive</th>" not in page


def test_nothing_asks_the_network_and_all_is_escaped():
    """No address in the page; what files are named cannot become markup."""
    page = render(report(name="<i>\x1b[31m"))
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", page)
    assert "://" not in page
    assert "default-src 'none'" in page
    assert "<b>found" not in page
    assert "it &lt;died&gt;" in page
    assert "<i>" not in page
    assert "\x1b" not in page
