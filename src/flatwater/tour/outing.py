"""One call in a fresh process that takes a limit on itself, and how it ended.

Covers:     the process, its time, telling a kill by the limit from every other end; curves while it runs.
Not here:   what is called (`tour.guide`, `tour.twin`), making the limit (`worker.limit`).
Holds:      a handle on the process, and its curves.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from flatwater import errors, limits, units
from flatwater.tour.curve import Curves
from flatwater.worker.failures import CallFailed, WorkerDied, WorkerOverLimit, WorkerTimeout
from flatwater.worker.limit import IS_LINUX, LimitGroup
from flatwater.worker.process import Worker

_CLOSE_TRIES = 20
_CLOSE_PAUSE_S = 0.05  # a killed process leaves its group when it is reaped

Kind = Literal["done", "refused", "killed", "slow", "failed"]


@dataclass(frozen=True, slots=True)
class End:
    """How it ended.

    Attributes:
        kind: "done"; "refused" and "killed" by its limit; "slow" if its time was over; "failed" otherwise.
        words: what happened; empty if it is done.
        traceback: of an error that nobody expected.
        curves: what was seen of it from outside.
        ended_s: when, by the monotonic clock.
    """

    kind: Kind
    words: str
    traceback: str
    curves: Curves
    ended_s: float


def send(
    function: Callable[..., object],
    errand: object,
    group: LimitGroup,
    *,
    notes_path: str,
    timeout_s: float,
    tell: Callable[[str], None] | None = None,
) -> End:
    """Call `function(errand)` in a process of its own.

    Raises:
        FlatwaterError: what it raised: wrong use, or a refusal by the budget.
    """
    promise = units.format_bytes(group.limit_bytes)
    kind: Kind = "done"
    words = trace = ""
    # The worker itself gets a limit that it never meets: it takes its own on, when its imports are done.
    with Worker(units.TIB, limit_kind="rlimit_data" if IS_LINUX else "auto") as worker:
        with Curves(lambda: worker.pid, notes_path, tell) as curves:
            try:
                worker.run(function, (errand,), timeout=min(timeout_s, float(limits.WAIT_S_MAX)))
            except WorkerOverLimit:
                kind, words = "refused", f"it asked for more than the {promise} that it promised, and the limit refused"
            except WorkerTimeout as error:
                kind, words = "slow", f"it did not end within {units.format_duration(error.limit)}"
            except (WorkerDied, CallFailed) as error:
                kind, words = "failed", str(error)
            except errors.FlatwaterError:
                raise  # it says itself what to do
            except Exception as error:  # noqa: BLE001 - anything may come, and what was done before is still wanted
                kind = "failed"
                words = "".join(traceback.format_exception_only(error)).strip()
                trace = str(error.__cause__ or "")
            ended_s = time.monotonic()
        if kind == "failed" and group.kills():  # of it, or of a process that it started
            kind, words, trace = (
                "killed",
                f"it took more than the {promise} that it promised, and the limit killed it",
                "",
            )
    return End(kind, words, trace, curves, ended_s)


def close(group: LimitGroup) -> None:
    """Remove the limit, when the last of its processes is gone."""
    for number in range(_CLOSE_TRIES):
        if group.close():
            return
        if number < _CLOSE_TRIES - 1:
            time.sleep(_CLOSE_PAUSE_S)
