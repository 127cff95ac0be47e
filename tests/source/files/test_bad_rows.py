from __future__ import annotations

import json

import pytest

from flatwater import errors
from flatwater.sizing import heap_bytes
from flatwater.source.files.bad_rows import BadRow, Report, short


def test_a_report_stays_bounded():
    """It keeps the first rows, counts all, and holds no more than it says."""
    report = Report(kept_max=50)
    for number in range(10_000):
        report.add(BadRow("file", number, number, short("é" * 5_000 + str(number))))
    assert (report.count, len(report), len(report.rows), report.rows[0].line) == (10_000, 10_000, 50, 0)
    assert heap_bytes(report.rows) <= report.bytes_max()


def test_a_report_in_words_and_in_json():
    """Both tell each kept row with its place; one without a byte has none."""
    report = Report()
    assert not report
    assert str(report) == "no bad rows"
    report.add(BadRow("f", 3, -1, "no number"))
    assert list(report) == report.rows
    assert str(report) == "1 bad row:\n  f, line 3: no number"
    assert json.loads(json.dumps(report.to_dict()))["rows"][0]["reason"] == "no number"


@pytest.mark.parametrize("kept_max", [-1, True, "many", 10**9])
def test_a_report_is_bounded_by_a_number(kept_max):
    """A report of no or of any size is refused."""
    with pytest.raises(errors.UsageError, match="report_max"):
        Report(kept_max)


def test_a_report_that_keeps_nothing():
    """It tells how many there were."""
    report = Report(0)
    report.add(BadRow("f", 3, -1, "no number"))
    assert str(report) == "1 bad row, of which none was kept"
