from __future__ import annotations

import pytest

from flatwater import errors
from flatwater.source.files.bad_rows import BadRow, Report
from flatwater.source.files.rows import Rejects

ROW = BadRow("f", 2, 10, "no\nnumber")


def test_raising():
    """A bad row is an error with file, line, byte and reason, on one line."""
    with pytest.raises(errors.CorruptError, match=r"f, line 2, byte 10: no number\. Mend"):
        Rejects("f", "raise", Report()).add(ROW)


def test_skipping():
    """It is told in the report, and only counted once that is full."""
    rejects = Rejects("f", "skip", Report(1))
    assert rejects.tells
    rejects.add(ROW)
    assert not rejects.tells
    rejects.add(ROW)
    assert rejects.report.count == 2


def test_unknown_policies():
    """Anything else is refused by name."""
    with pytest.raises(errors.UsageError, match="on_error"):
        Rejects("f", "ignore", Report())
