"""ingest.report: what an ingestion did."""

from __future__ import annotations

import json

from flatwater import limits
from flatwater.ingest.report import Report


def test_problems_are_counted_in_full_and_kept_up_to_a_bound():
    """The first ones are shown, the others counted."""
    report = Report()
    for number in range(limits.INGEST_PROBLEMS_KEPT_MAX + 50):
        report.add(f"{number}.txt", 0, "it is empty\n" * 500, "skipped")
    assert (len(report.problems), report.problem_count, report.skipped) == (limits.INGEST_PROBLEMS_KEPT_MAX, 150, 150)
    assert "and 50 more" in str(report)
    assert max(len(problem.reason) for problem in report.problems) < 1_000


def test_only_what_the_next_run_mends_has_failed():
    """What cannot be read at all is skipped, and no reason to try again."""
    report = Report()
    for kind in ("skipped", "cut", "guessed", "known", "kept", "failed", "listing"):
        report.add("a", 0, "reason", kind)
    assert (report.skipped, report.failed, report.is_fine) == (1, 3, False)


def test_it_is_json_and_printable_whatever_names_there_are():
    """Half characters are escaped, and a name with controls in it changes no terminal and stays on its line."""
    report = Report()
    report.add("bad\udcff\ud800\x1b[31m\nred", 3, "reason \ud800", "skipped")
    assert json.loads(json.dumps(report.to_dict()))["problem_count"] == 1
    said = str(report)
    said.encode()
    assert "\x1b" not in said
    assert r"\x1b[31m\nred, page 3: reason" in said.splitlines()[-1]


def test_a_dry_run_says_what_would_be():
    """Without figures of work that was not done."""
    assert str(Report(documents=3, new=1, removed=2, is_dry=True)) == "3 documents: 1 would be new, 2 would be removed"
    assert str(Report()).startswith("0 documents: nothing to do")
