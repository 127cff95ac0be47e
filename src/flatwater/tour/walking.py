"""Start the tour in a process of its own, under a kernel limit equal to its promise, and tell how it went.

Covers:     the promise, making the limit, the process, reading what it wrote down, every way in which it can end.
Not here:   what happens inside (`tour.guide`), the steps (`tour.steps`), printing (`cli`).
Holds:      a handle on the process, and the notes of its steps.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import traceback
from collections.abc import Sequence

from flatwater import errors, limits, units
from flatwater.meter import scratch
from flatwater.tour.guide import Errand, guide
from flatwater.tour.inputs import Root, own_roots
from flatwater.tour.promise import promise_of
from flatwater.tour.report import Row, TourReport
from flatwater.tour.step import Inputs, load
from flatwater.tour.steps import STEPS
from flatwater.worker.failures import CallFailed, WorkerDied, WorkerOverLimit, WorkerTimeout
from flatwater.worker.limit import IS_LINUX, LimitGroup, make_limit
from flatwater.worker.process import Worker

_MARGIN_S = 60.0  # beyond its time, before a step is taken for stuck
_NOTES_BYTES_MAX = 4 * units.MIB  # what is read of the notes; a step writes about 2 KiB
_CLOSE_TRIES = 20
_CLOSE_PAUSE_S = 0.05  # a killed process leaves its group when it is reaped


def walk(
    roots: Sequence[Root] | None = None,
    *,
    budget: str | int = limits.TOUR_BUDGET_BYTES,
    seconds: str | float = limits.TOUR_STEP_S,
    steps: Sequence[str] = STEPS,
    limit_kind: str = "auto",
) -> TourReport:
    """Run all steps in one fresh process, which can take no more above its baseline than it promised.

    Args:
        roots: where the steps find real files; by default this machine's own Python sources and documentation.
        budget: bytes for all that the steps hold, or a text such as "32 MiB".
        seconds: a step that has more to read stops after so many.
        steps: "module:Class" of each, importable from `sys.path`.
        limit_kind: "auto", "cgroup" or "rlimit_data".

    Holds what a `worker.Worker` holds. Thread-safe: each call has its own process.

    Raises:
        UsageError: the budget is too small, and the least that works is named; there is no text; a step does not exist.
        BrokenError: the limit that was asked for cannot be had, the process cannot be started, or there is no place for
            temporary files.
        BudgetExceeded: a step asked for more than its share.

    >>> report = walk([Root(__file__)], budget="16 MiB", steps=STEPS[:1])
    >>> report.holds, report.rows[0].step, report.rows[0].seen <= report.rows[0].promised
    (True, 'words', True)
    """
    budget_bytes = errors.bytes_of(budget, what="budget", least=1)
    seconds = _seconds(seconds)
    promise_bytes = promise_of(budget_bytes, load(steps))
    places = tuple(own_roots() if roots is None else roots)
    began_s = time.monotonic()
    with contextlib.ExitStack() as stack:
        folder = scratch.needed("flatwater-tour-", "a tour needs a place for its notes")
        stack.callback(folder.close)
        group = make_limit(promise_bytes, kind=limit_kind, name="tour")
        stack.callback(_close, group)
        report = TourReport(budget_bytes, promise_bytes, group.kind, group.note, seconds=seconds)
        notes_path = os.path.join(folder.path, "notes")
        errand = Errand(
            tuple(steps),
            Inputs(places, seconds, folder.path),
            promise_bytes,
            group.kind,
            group.procs_file(),
            limit_kind == "auto",
            notes_path,
        )
        try:
            _send(errand, group, report)
        finally:
            _read_notes(notes_path, report)
    report.wall_s = time.monotonic() - began_s
    return report


def _send(errand: Errand, group: LimitGroup, report: TourReport) -> None:
    """Run the errand; what ends it too early goes into the report."""
    timeout_s = min(errand.inputs.seconds * len(errand.steps) + _MARGIN_S, float(limits.WAIT_S_MAX))
    # The worker itself gets a limit that it never meets: the tour takes its own on, when its imports are done.
    kind = "rlimit_data" if IS_LINUX else "auto"
    promise = units.format_bytes(report.promise_bytes)
    with Worker(units.TIB, limit_kind=kind) as worker:
        try:
            worker.run(guide, (errand,), timeout=timeout_s)
        except WorkerOverLimit:
            report.killed = True
            report.trouble = f"it asked for more than the {promise} that it promised, and the limit refused"
        except WorkerTimeout as error:
            report.trouble = f"it did not end within {units.format_duration(error.limit)}"
        except WorkerDied as error:
            if group.kills():
                report.killed = True
                report.trouble = f"it took more than the {promise} that it promised, and the limit killed it"
            else:
                report.trouble = str(error)
        except CallFailed as error:
            report.trouble = str(error)
        except errors.FlatwaterError:
            raise  # wrong use, or a refusal by the budget: it says itself what to do
        except Exception as error:  # noqa: BLE001 - a step may raise anything, and the table of the others is still wanted
            report.trouble = "".join(traceback.format_exception_only(error)).strip()
            report.traceback = str(error.__cause__ or "")


def _read_notes(path: str, report: TourReport) -> None:
    try:
        with open(path, "rb") as file:
            lines = file.read(_NOTES_BYTES_MAX).splitlines()
    except FileNotFoundError:  # it did not come so far
        return
    for line in lines:
        try:
            facts = json.loads(line)
        except ValueError:  # it was killed while it wrote
            continue
        report.baseline = facts.get("baseline", report.baseline)
        report.account = facts.get("account", report.account)
        report.running = facts.get("running", report.running)
        if limit := facts.get("limit"):
            # What was said when the limit was made holds for that kind alone.
            report.limit_note = limit["note"] or (report.limit_note if limit["kind"] == report.limit_kind else "")
            report.limit, report.limit_kind = limit, limit["kind"]
        if row := facts.get("row"):
            row["notes"] = tuple(row["notes"])
            report.rows.append(Row(**row))


def _seconds(seconds: str | float) -> float:
    try:
        count = units.parse_duration(seconds)
    except ValueError as error:
        raise errors.UsageError(f"seconds: {error}.") from None
    if not 0 < count <= limits.WAIT_S_MAX:
        raise errors.UsageError(f"seconds={seconds!r}: more than 0, and at most {limits.WAIT_S_MAX}.")
    return count


def _close(group: LimitGroup) -> None:
    for number in range(_CLOSE_TRIES):
        if group.close():
            return
        if number < _CLOSE_TRIES - 1:
            time.sleep(_CLOSE_PAUSE_S)
