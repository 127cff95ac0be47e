"""Start the tour in a process of its own, under a kernel limit equal to its promise, and tell how it went.

Covers:     the promise, making the limit, the process, reading what it wrote down, every way in which it can end.
Not here:   what happens inside (`tour.guide`), the steps (`tour.steps`), printing (`cli`).
Holds:      a handle on the process, and the notes of its steps.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Sequence

from flatwater import errors, limits, units
from flatwater.meter import scratch
from flatwater.tour import notes
from flatwater.tour.guide import Errand, guide
from flatwater.tour.inputs import Root, own_roots
from flatwater.tour.onlooker import Onlooker
from flatwater.tour.outing import close, send
from flatwater.tour.promise import Limit, promise_of
from flatwater.tour.report import TourReport
from flatwater.tour.step import Inputs, load
from flatwater.tour.steps import STEPS
from flatwater.tour.trying import Trying
from flatwater.worker.limit import make_limit

MADE = "inputs"  # in the folder of what steps make: the table and the page, on which all of them work
_MARGIN_S = 60.0  # beyond its time, before a step is taken for stuck


def walk(
    roots: Sequence[Root] | None = None,
    *,
    budget: str | int = limits.TOUR_BUDGET_BYTES,
    seconds: str | float = limits.TOUR_STEP_S,
    steps: Sequence[str] = STEPS,
    limit_kind: str = "auto",
    again: bool = False,
    keep: str = "",
    tell: Callable[[str], None] | None = None,
) -> TourReport:
    """Run all steps in one fresh process, which can take no more above its baseline than it promised.

    Args:
        roots: where the steps find real files; by default this machine's own Python sources and documentation.
        budget: bytes for all that the steps hold, or a text such as "32 MiB".
        seconds: a step that has more to read stops after so many.
        steps: "module:Class" of each, importable from `sys.path`.
        limit_kind: "auto", "cgroup" or "rlimit_data".
        again: each step once more, alone in a process under a limit of just what it promised, and its naive twin under the same.
        keep: a folder, not there yet, for what the steps make, which is then not removed; one that was interrupted is.
        tell: is called with the name of each step as it begins, in another thread; it must not fail.

    Holds what a `worker.Worker` holds. Thread-safe: each call has its own process.

    Raises:
        UsageError: the budget is too small, and the least that works is named; there is no text; a step does not exist.
        BrokenError: the limit that was asked for cannot be had, the process cannot be started, or there is no place for
            temporary files.
        BudgetExceeded: a step asked for more than its share.

    >>> report = walk([Root(__file__)], budget="16 MiB", steps=STEPS[1:2])
    >>> report.holds, report.rows[0].step, report.rows[0].seen <= report.rows[0].promised
    (True, 'words', True)
    """
    budget_bytes = errors.bytes_of(budget, what="budget", least=1)
    seconds = _seconds(seconds)
    loaded = load(steps)
    promise_bytes = promise_of(budget_bytes, loaded)
    places = tuple(own_roots() if roots is None else roots)
    began_s = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = scratch.needed("flatwater-tour-", "a tour needs a place for its notes")
        stack.callback(folder.close)
        data = _place(keep, folder.path, stack)
        browser = os.path.join(folder.path, "browser")
        os.mkdir(browser)
        inputs = Inputs(places, seconds, data, os.path.join(data, MADE), browser)
        report = TourReport(budget_bytes, promise_bytes, "none", seconds=seconds, kept=data if keep else "")
        _go(tuple(steps), inputs, limit_kind, folder.path, report, tell)
        if again and not report.trouble:
            trying = Trying(places, seconds, inputs.made, folder.path, limit_kind, tell or _silent)
            names = {step.name: name for step, name in zip(loaded, steps, strict=True)}
            report.trials = {trial.step: trial for trial in trying.trials(names, report.rows)}
            report.is_tried = True
    report.wall_s = time.monotonic() - began_s
    return report


def _go(
    steps: tuple[str, ...],
    inputs: Inputs,
    limit_kind: str,
    folder: str,
    report: TourReport,
    tell: Callable[[str], None] | None,
) -> None:
    """All steps in one process; what ends it too early goes into the report."""
    group = make_limit(report.promise_bytes, kind=limit_kind, name="tour")
    try:
        report.limit_kind, report.limit_note = group.kind, group.note
        notes_path = os.path.join(folder, "notes")
        limit = Limit(group.kind, report.promise_bytes, group.procs_file(), limit_kind == "auto")
        errand = Errand(steps, inputs, limit, notes_path)
        try:
            timeout_s = inputs.seconds * len(steps) + 3 * limits.TOUR_BROWSER_S + _MARGIN_S
            with Onlooker(inputs.browser):
                end = send(guide, errand, group, notes_path=notes_path, timeout_s=timeout_s, tell=tell)
            report.trouble, report.traceback, report.killed = (
                end.words,
                end.traceback,
                end.kind in {"refused", "killed"},
            )
        finally:
            notes.read(notes_path, report)
        report.curves = {row.step: end.curves.of(row.step) for row in report.rows}
    finally:
        close(group)


def _place(keep: str, folder: str, stack: contextlib.ExitStack) -> str:
    """Where steps write: the folder that is kept, which goes away if the tour is ended from outside, or one of the tour's own."""
    data = os.path.abspath(keep) if keep else os.path.join(folder, "data")
    parents = _missing(os.path.dirname(data))
    stack.push(lambda error, *_: _remove_empty(parents) if error else None)  # after what is in them
    try:
        os.makedirs(data)
        if keep:
            stack.push(lambda error, *_: shutil.rmtree(data, ignore_errors=True) if error else None)
        os.mkdir(os.path.join(data, MADE))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise errors.UsageError(
            f"{data!r} cannot be made: {reason}.", hint="Name a folder that is not there yet."
        ) from None
    return data


def _missing(path: str) -> list[str]:
    """The folder and those above it that are not there yet, innermost first."""
    found = []
    while not os.path.lexists(path):
        found.append(path)
        path = os.path.dirname(path)
    return found


def _remove_empty(folders: list[str]) -> None:
    """Those that hold nothing, innermost first."""
    for folder in folders:
        with contextlib.suppress(OSError):
            os.rmdir(folder)


def _silent(_step: str) -> None:
    """Tell nobody."""


def _seconds(seconds: str | float) -> float:
    try:
        count = units.parse_duration(seconds)
    except ValueError as error:
        raise errors.UsageError(f"seconds: {error}.") from None
    if not 0 < count <= limits.WAIT_S_MAX:
        raise errors.UsageError(f"seconds={seconds!r}: more than 0, and at most {limits.WAIT_S_MAX}.")
    return count
