"""proof.leaks.findings: what counts, beyond what the hunt's own tests show."""

from __future__ import annotations

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
