"""Run what a marked test asks for, and have pytest report it.

Covers:     limits, growth and leaks of one test; undecided is no pass; failures, skips and xfails of the test itself.
Not here:   measuring (`testing.points`), the rule for growth (`proof.growth`), reading the marks (`testing.marks`).
Holds:      the points of one test.

The test is not called in the session's process and no fixture is set up there. Skips and xfails by mark are pytest's own
work around it, so they mean what they always mean.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from flatwater import errors, units
from flatwater.proof.points import Point, ScenarioFailed
from flatwater.proof.proving import prove_with
from flatwater.proof.result import Proof
from flatwater.testing.marks import Asked
from flatwater.testing.points import Measurer, TestSpoke

TOOK = pytest.StashKey[int]()  # the largest peak above the start of the call, for --mem-top


def take_over(item: pytest.Function, asked: Asked) -> None:
    """Have the points of this test run where it would have been called."""
    _without_fixtures(item)
    shown = item.repr_failure
    item.runtest = functools.partial(run, item, asked)  # type: ignore[method-assign]  # of this one item
    item.repr_failure = functools.partial(_shown, shown)  # type: ignore[method-assign]  # the same


def refuse(item: pytest.Item, why: str) -> None:
    """Have this test fail with these words where it would have been called."""
    _without_fixtures(item)
    item.runtest = functools.partial(pytest.fail, why, pytrace=False)  # type: ignore[method-assign]  # of this one item


def run(item: pytest.Function, asked: Asked) -> None:
    """Run all that is asked for; return if it holds.

    Raises:
        pytest.fail.Exception: it does not hold or is undecided, or there is no figure; with the table.
        pytest.skip.Exception, pytest.xfail.Exception: the test did so.
        TestSpoke: the test failed.
    """
    measurer = Measurer(item, metric=asked.metric, timeout_s=asked.timeout_s)
    try:
        words = _measured(item, asked, measurer)
    except TestSpoke as spoke:
        raise _as_outcome(item, spoke) from None
    except errors.FlatwaterError as error:
        _show_captured(item, measurer.printed)
        output = error.output.strip() if isinstance(error, ScenarioFailed) else ""
        raise pytest.fail.Exception("\n".join(filter(None, [str(error), output])), pytrace=False) from None
    _show_captured(item, measurer.printed)
    if words:
        raise pytest.fail.Exception("\n\n".join(words), pytrace=False)


def _measured(item: pytest.Function, asked: Asked, measurer: Measurer) -> list[str]:
    """Why what is asked for does not hold, one text for each mark; empty if it does."""
    words = []
    points: list[Point] = []
    first = 0
    if asked.claim is not None:
        first = asked.claim.sizes[0]
        proof = prove_with(measurer, asked.claim)
        points = proof.points
        item.user_properties += [("mem_verdict", proof.verdict), ("mem_bytes_per_item", round(proof.bytes_per_item, 3))]
        if proof.holds:
            item.add_report_section("call", "memory", str(proof))  # these sections are for pytest -rP
        words.append(of_growth(proof))
    elif asked.limit_bytes:
        points = [measurer.point()]
    if points:
        largest = max(points, key=lambda point: point.grown_bytes)
        item.stash[TOOK] = largest.grown_bytes
        item.user_properties.append(("mem_peak_above_start_bytes", largest.grown_bytes))
    if asked.limit_bytes:
        words.append(of_limit(asked.limit_bytes, points))
        if not words[-1]:
            grown, limit = units.format_bytes(item.stash[TOOK]), units.format_bytes(asked.limit_bytes)
            text = f"mem_max: the peak was {grown} above the start of the call, of a limit of {limit}."
            item.add_report_section("call", "memory", text)
    if asked.rounds:
        told = measurer.hunt(first, asked.rounds, asked.warmup)
        words.append("" if told.holds else f"mem_no_leaks: {told.text}")
        if told.holds:
            item.add_report_section("call", "memory", f"mem_no_leaks: {told.text}")
    return [text for text in words if text]


def of_growth(proof: Proof) -> str:
    """Why growth is no pass; empty if it is one."""
    if proof.holds:
        return ""
    if proof.outcome == "undecided":
        return (
            f"mem_constant is undecided, and that is no pass: {proof.because}\n"
            "Larger sizes= make growth stand out, repeat=3 makes noise smaller, resolution= says what growth does not "
            f"matter, target= and budget= say what does.\n{proof}"
        )
    return f"mem_constant: {proof.because}\n{proof}"


def of_limit(limit_bytes: int, points: Sequence[Point]) -> str:
    """Why the peak above the start of the call is no pass at one of the points; empty if it is one at all."""
    size = units.format_bytes
    worst = max(points, key=lambda point: point.upper_bytes - point.base_bytes)
    grown, reusable = worst.grown_bytes, worst.upper_bytes - worst.peak_bytes
    where = f" at n={worst.n:,}" if worst.n else ""
    took = f"the peak{where} was {size(grown)} above the start of the call"
    held = f"  the process held {size(worst.base_bytes)} before the call, and {size(worst.peak_bytes)} at its peak"
    if grown > limit_bytes:
        over = grown - limit_bytes
        return f"mem_max: {took}, of a limit of {size(limit_bytes)}: {size(over)} ({over / limit_bytes:.0%}) too much.\n{held}"
    if grown + reusable > limit_bytes:
        return (
            f"mem_max is undecided, and that is no pass: {took}, and {size(reusable)} that were free before it may have been "
            f"used again; together they are more than the limit of {size(limit_bytes)}.\n{held}\n"
            "  Raise the limit by that much, or let the fixtures leave less behind."
        )
    return ""


def _as_outcome(item: pytest.Function, spoke: TestSpoke) -> BaseException:
    """What the test did in its own process, for pytest to report as this test's."""
    report = spoke.report
    _show_captured(item, report.sections)
    if hasattr(report, "wasxfail"):
        return pytest.xfail.Exception(str(report.wasxfail).removeprefix("reason: "))
    if report.skipped:
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple | list) else report.longreprtext
        return pytest.skip.Exception(reason.removeprefix("Skipped: "), _use_item_location=True)
    phase = {"setup": "set-up", "call": "call"}.get(str(report.when), "teardown")
    size = f" at n={spoke.n:,}" if spoke.n else ""
    part = (report.head_line or "").removeprefix(report.location[2])  # which of its subtests
    item.add_report_section("call", "memory", f"This was the {phase} of the test{part}{size}, in a process of its own.")
    return spoke


def _show_captured(item: pytest.Function, sections: Iterable[tuple[str, str]]) -> None:
    """What the test printed and logged in its own process."""
    for name, text in sections:
        match name.split(" ", 2):
            case ["Captured", stream, phase]:
                item.add_report_section(phase, stream, text)
            case _:
                pass


def _shown(
    otherwise: Callable[[pytest.ExceptionInfo[BaseException]], Any], excinfo: pytest.ExceptionInfo[BaseException]
) -> Any:
    """The test's own traceback, where it has one."""
    if isinstance(excinfo.value, TestSpoke):
        return excinfo.value.report.longrepr
    return otherwise(excinfo)


def _without_fixtures(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function):
        item.fixturenames = []
        if getattr(item.obj, "is_hypothesis_test", False):  # hypothesis's plugin asks for its fixtures otherwise
            item.location  # noqa: B018 - pytest keeps it, and it is the test's
            item.obj = _stub_of(item.obj)


def _stub_of(function: Callable[..., object]) -> Callable[[], None]:
    """By its name and words."""

    def stub() -> None:
        pass

    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        setattr(stub, name, getattr(function, name, None))
    return stub
