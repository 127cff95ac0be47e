"""Figures of benchmarks on the pages: each is what the newest result says, and a stale one is found."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.case import Case  # noqa: E402 - after the path is known

from benchmarks import outcome, quoting  # noqa: E402 - the same

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="benchmarks read /proc")
CITED = re.compile(r"benchmarks\.md#|python -m benchmarks \w+/")
COST = re.compile(r"\d(?:x\b| times\b| [num]s\b)")


@pytest.mark.parametrize("path", quoting.pages(), ids=lambda path: path.name)
def test_what_a_page_quotes_is_the_newest_result(path):
    """Each marked figure, to the digits that it shows; each mark can be read; a cost beside a case's name is marked."""
    text = path.read_text("utf-8")
    assert quoting.refreshed(text) == text, "run: python -m benchmarks.page"
    assert list(quoting.broken(text)) == []
    assert text.count("<!-- bench") == len(quoting.QUOTED.findall(text)), "a mark stands behind its figure, on its line"
    for block in text.split("\n\n"):
        if CITED.search(block) and COST.search(block):
            assert "<!-- bench: " in block, f"no mark says where this comes from: {block}"


@pytest.fixture
def measured(monkeypatch):
    """One case with two rows: 3 and 2 ms of CPU for one of ten items, and a figure."""
    case = Case("made up", size=10, tiny=1, per="item", unit="ms", figures={"rate": "items a second"})
    rounds = {
        name: [
            {
                "cpu_s": cpu_s,
                "wall_s": 1.0,
                "figures": {"rate": 987_589.0},
                "anon_peak_bytes": 17 << 20,
                "file_peak_bytes": 0,
            }
        ]
        for name, cpu_s in (("ours, fast", 0.03), ("peer", 0.02))
    }
    monkeypatch.setattr(outcome, "load", lambda _name: case)
    record = {"case": "a/b", "size": 10, "rounds": rounds}
    monkeypatch.setattr(outcome, "newest", lambda name: outcome.Outcome(record) if name == "a/b" else None)


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(
    ("stale", "mark", "fresh"),
    [
        ("2.9 ms", "ours, fast; cpu", "3.0 ms"),
        ("2x", "ours, fast / peer; cpu", "2x"),
        ("1.4 times", "ours, fast / peer; cpu", "1.5 times"),
        ("120 ms", "peer; wall", "100 ms"),
        ("18 MiB", "peer; anon", "17 MiB"),
        ("950,000", "peer; items a second", "990,000"),
        ("900,001 items", "peer; items a second", "987,589 items"),
        ("4 ms", "ours, fast; cpu; at most", "4 ms"),
    ],
)
def test_a_stale_figure_is_found_and_refreshed(stale, mark, fresh):
    """With as many digits as it shows, in the unit of the case's table."""
    text = "It takes {}<!-- bench: a/b; {} --> here, and 7 there."
    assert quoting.refreshed(text.format(stale, mark)) == text.format(fresh, mark)


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(("bound", "count"), [("2 ms", 1), ("3 ms", 0), ("4 ms", 0)])
def test_a_promise_that_is_not_kept_is_found(bound, count):
    """`at most` is compared with what was measured, and never rewritten."""
    assert len(list(quoting.broken(f"less than {bound}<!-- bench: a/b; ours, fast; cpu; at most --> each"))) == count


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        ("c/d; peer; cpu", "never measured"),
        ("a/b; nobody; cpu", "no row 'nobody', but ours, fast, peer"),
        ("a/b; peer; colour", "no column"),
    ],
)
def test_a_mark_that_names_nothing_is_an_error(mark, reason):
    """With what there is."""
    with pytest.raises(ValueError, match=reason):
        quoting.refreshed(f"1 ms<!-- bench: {mark} -->")
