"""tour.report: the verdict and its exit code."""

from __future__ import annotations

import json

import pytest

from flatwater.tour.report import Row, TourReport

MIB = 1 << 20


def row(seen=3 * MIB, promised=8 * MIB, **more):
    return Row("words", 1000, "words", 2 * MIB, 2.0, promised, seen, **more)


def report(*rows, **more):
    return TourReport(16 * MIB, 8 * MIB, "cgroup v2", rows=list(rows), **more)


@pytest.mark.parametrize(
    ("found", "code", "words"),
    [
        (report(row()), 0, "holds: 3.0 MiB seen of 8.0 MiB promised above the baseline (cgroup v2 kills at more)"),
        (report(row(), row(seen=9 * MIB)), 1, "does not hold: step 'words' promised 8.0 MiB, and 9.0 MiB were seen"),
        (report(row(seen=-1)), 1, "does not hold: nobody tells what step 'words' took"),
        (report(trouble="it was killed", running="words"), 4, "the tour died in step 'words': it was killed"),
        (report(row(), trouble="it was killed"), 4, "the tour died: it was killed"),
    ],
)
def test_the_verdict(found, code, words):
    """One sentence and one exit code for each end."""
    assert (found.exit_code, found.verdict) == (code, words)
    assert found.holds == (code == 0)


def test_exactly_the_promise_holds():
    """At most means at most."""
    assert report(row(seen=8 * MIB)).holds


def test_no_limit_is_no_proof():
    """Where no kernel limit held, the verdict says so."""
    found = report(row())
    found.limit_kind = "none"
    assert "only what was seen" in found.verdict


def test_rates():
    """Items and bytes a second; a step that took no time has none."""
    assert (row().items_per_s, row().bytes_per_s) == (500, MIB)
    assert Row("a", 1, "x", 1, 0.0, 1, 1).items_per_s == 0.0


def test_the_dict_is_json():
    """Each figure has its unit in its name; what is unknown is null."""
    found = json.loads(json.dumps(report(row(seen=-1, details={"files": 3}), seconds=5.0).to_dict()))
    (step,) = found["steps"]
    assert (step["seen_bytes"], step["promised_bytes"], step["files"]) == (None, 8 * MIB, 3)
    assert (found["holds"], found["exit_code"], found["promise_bytes"]) == (False, 1, 8 * MIB)
