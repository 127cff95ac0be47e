"""source.documents.report: counted in full, kept in part."""

from __future__ import annotations

from flatwater import limits
from flatwater.source.documents import report as module
from flatwater.source.documents.report import CUT, GUESSED, SKIPPED, Report


def test_all_are_counted_and_some_kept():
    """A million problems take the room of a hundred."""
    report = Report()
    for number in range(1_000):
        report.add(f"{number}.bin", 0, "no text", SKIPPED)
    report.add("last", 3, "too long", CUT)
    assert (report.count, report.skipped, report.cut) == (1_001, 1_000, 1)
    assert len(report.problems) == limits.DOCUMENT_PROBLEMS_KEPT_MAX
    assert str(report).endswith("... and 901 more")
    assert "pages" not in str(report)
    report.pages_empty = 1_200
    assert "1 cut, 0 guessed; 1,200 pages without text" in str(report)


def test_a_reason_is_one_short_line():
    """However long a library's message is, and whatever is in it."""
    report = Report()
    problem = report.add("a\udce9.txt", 2, "x\n" * 10_000 + "\udc80", GUESSED)
    assert len(problem.reason) == limits.DOCUMENT_REASON_CHARS_MAX
    assert "\n" not in problem.reason
    str(report).encode()
    assert module.printable(problem).startswith("a\\udce9.txt, page 2: x x")
