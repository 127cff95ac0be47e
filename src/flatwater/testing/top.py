"""`pytest --mem-top N`: the tests during which the session's process grew most.

Covers:     a measure around each test with its set-up and teardown, the table, tests that ran in xdist's workers.
Not here:   claims, for which the marks start fresh processes (`testing.verdict`).
Holds:      N rows, and one open measure.

Growth inside a long-lived process is an indication only: what an earlier test freed is used again and does not show.
"""

from __future__ import annotations

import heapq
from collections.abc import Generator
from typing import final

import pytest

from flatwater import units
from flatwater.meter.measuring import measure

ATTRIBUTE = "flatwater_took"  # of a teardown's report; xdist carries it from its workers


@final
class Top:
    """The plugin that `--mem-top` registers."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._rows: list[tuple[int, str, int, str]] = []  # a heap: bytes, node id, reusable bytes, note
        self._measure: measure | None = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        """Open a measure around all of a test."""
        self._measure = measure(item.nodeid or "test", gc=False)
        self._measure.__enter__()
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Close it after the teardown, and have the report carry its figures."""
        report = yield
        if call.when == "teardown" and self._measure is not None:
            open_measure, self._measure = self._measure, None
            open_measure.__exit__()
            reading = open_measure.reading
            took: list[object] = [max(0, reading.delta), max(0, reading.reusable_bytes), ""]
            fresh = _of_points(item)
            if fresh is not None:
                took = [fresh, 0, "in a process of its own"]
            setattr(report, ATTRIBUTE, took)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the largest."""
        took = getattr(report, ATTRIBUTE, None)
        if took is not None:
            row = (int(took[0]), report.nodeid, int(took[1]), str(took[2]))
            if len(self._rows) < self._count:
                heapq.heappush(self._rows, row)
            else:
                heapq.heappushpop(self._rows, row)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table, unless no test ran."""
        if not self._rows:
            return
        terminalreporter.section(f"memory: the {self._count} tests that grew most")
        for line in table(sorted(self._rows, reverse=True)):
            terminalreporter.write_line(line)


def table(rows: list[tuple[int, str, int, str]]) -> list[str]:
    """Lines for people."""
    lines = [f"{'peak above start':>16}  {'free before':>11}  test"]
    for grown, node_id, reusable, note in rows:
        free = "-" if note else units.format_bytes(reusable)
        lines.append(f"{units.format_bytes(grown):>16}  {free:>11}  {node_id}{f' ({note})' if note else ''}")
    lines.append("In one process, so an indication only: a test that uses memory which was free before grows by less.")
    lines.append("For a claim, mark the test: mem_max, mem_constant, mem_no_leaks.")
    return lines


def _of_points(item: pytest.Item) -> int | None:
    """What a marked test took in its own processes."""
    import sys

    verdict = sys.modules.get("flatwater.testing.verdict")
    return None if verdict is None else item.stash.get(verdict.TOOK, None)
