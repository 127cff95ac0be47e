"""What a run says about itself: a table for people, a dict for JSON."""

from __future__ import annotations

import json

from flatwater.pipeline.flow import Flow
from flatwater.pipeline.report import Failure, Gauge, Report

REPORT = Report(
    items=2_000, wall_s=1.5, promised_bytes=3 << 20, seen_bytes=1 << 20, skipped=3,
    stages=[Gauge("range", items_out=2_003, bytes_out=9_000, busy_s=0.25), Gauge("1 map(f)", 1, 2_003, 2_000, 70_000, 1.25, 3)],
    failures=[Failure("1 map(f)", 7, "'x'", "ValueError('no')", "range", "item 10")],
)  # fmt: skip


def test_the_table():
    """A line for each stage, the sums, and the failures."""
    lines = str(REPORT).splitlines()
    assert lines[0].split() == ["stage", "items", "bytes", "time"]
    assert lines[2].split()[:3] == ["1", "map(f)", "2,000"]
    assert lines[3] == "2,000 items in 1.5 s, 3.0 MiB promised, 1.0 MiB seen"
    assert lines[4:] == [
        "3 items failed and were passed over, of which the first 1:", "  1 map(f), item 7 ('x'), source range at item 10: ValueError('no')"
    ]  # fmt: skip
    assert "seen" not in str(Report(items=1))


def test_the_figures_are_json():
    """All of them, by name."""
    found = json.loads(json.dumps(REPORT.to_dict()))
    assert found["stages"][1] == {
        "name": "1 map(f)", "items_in": 2003, "items_out": 2000, "bytes_out": 70000, "busy_s": 1.25, "skipped": 3,
        "waits": 0, "waited_s": 0.0,
        "batches_kept": 0, "keeps": "",
    }  # fmt: skip
    assert (found["items"], found["skipped"], found["failures"]) == (2000, 3, [str(REPORT.failures[0])])


def test_stages_that_hand_on_weigh_what_they_hand_on():
    flow = Flow(range(10_000)).filter(lambda number: number % 2).tap(id).each(id)
    source, *stages = (stage.bytes_out for stage in flow.run().stages)
    assert source > 10_000
    assert stages == [source // 2] * 3


def test_what_was_done_before_and_waits_are_told():
    """Where there are any."""
    assert "earlier" not in str(Report())
    text = str(Report(resumed_at=12_000, waited_s=2.0))
    assert "earlier runs had done 12,000 items of the source" in text
    assert "waited 2.0 s at the budget's closed gate" in text
