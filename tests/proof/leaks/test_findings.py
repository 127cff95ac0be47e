"""proof.leaks.findings: what counts, beyond what the hunt's own tests show."""

from __future__ import annotations

import collections
import struct

import pytest

from flatwater.proof.leaks import findings
from flatwater.proof.leaks.report import Cycles, LeakReport

SMALL, LARGE = 100, findings.CYCLE_BYTES_MIN


@pytest.mark.parametrize(
    ("size", "is_off", "count", "is_leak"),
    [
        (SMALL, False, None, False),
        (LARGE, False, None, True),
        (SMALL, True, None, True),
        (SMALL, False, True, True),
        (LARGE, True, False, False),
    ],
)
def test_when_cycles_are_a_leak(size, is_off, count, is_leak):
    """Where the collector is off, from 1 MiB a round, or where that is asked for; never where it is not wanted."""
    report = LeakReport("app.load", [], Cycles(3, size, is_off=is_off), 8, 2, 11)
    findings.add_cycles(report, count=count)
    assert (not report.holds) == is_leak


def test_no_cycles_no_leak():
    """Without cycles nothing is added."""
    report = LeakReport("app.load", [], None, 8, 2, 10)
    findings.add_cycles(report, count=True)
    assert report.holds


def test_bounds_that_are_known():
    """What fills up to a bound of its own or of Python's is a note; what has none is not."""
    assert "1 of 9 entries" in findings._bounded("app.RECENT (deque)", collections.deque([1], maxlen=9))
    assert "100 entries" in findings._bounded("xml.etree.ElementPath._cache (dict)", {"b[1]": []})
    assert "100 entries" in findings._bounded("", {"5s": struct.Struct("5s")})
    for name, container in (
        ("app.ROWS (deque)", collections.deque([1])),
        ("app.CACHE (dict)", {}),
        ("", {"5s": 1}),
        ("", []),
    ):
        assert findings._bounded(name, container) == ""
