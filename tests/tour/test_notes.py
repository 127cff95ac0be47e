"""tour.notes: what a process wrote down."""

from __future__ import annotations

import json

from flatwater.tour import notes
from flatwater.tour.report import Row, TourReport

ROW = {
    "step": "a",
    "items": 1,
    "item_name": "rows",
    "bytes": 2,
    "wall_s": 0.5,
    "promised": 9,
    "seen": 8,
    "notes": ["x"],
}


def test_what_a_tour_did(tmp_path):
    """Baseline, limit, rows, and the step in which it ended; a last line that was cut is passed over."""
    path = tmp_path / "notes"
    limit = {"kind": "rlimit_data", "note": "why"}
    facts = [{"baseline": {"rss_bytes": 7}, "limit": limit}, {"running": "a"}, {"row": ROW}, {"running": "b"}]
    path.write_text("\n".join(map(json.dumps, facts)) + '\n{"row": {"st')
    report = TourReport(10, 10, "cgroup v1", "of another kind")
    notes.read(str(path), report)
    assert report.rows == [Row(**{**ROW, "notes": ("x",)})]
    assert (report.baseline, report.running) == ({"rss_bytes": 7}, "b")
    assert (report.limit_kind, report.limit_note) == ("rlimit_data", "why")


def test_one_that_did_not_come_so_far(tmp_path):
    """Without a file nothing is known."""
    assert list(notes.facts(str(tmp_path / "none"))) == []
