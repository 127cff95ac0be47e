"""A hunt in a fresh, killable process: for commands, and for actions that may not come back.

Covers:     a time limit, a memory limit, what the action prints.
Not here:   the hunt itself (`hunt`), worker processes (`flatwater.worker`).
Holds:      one worker, and its report.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from flatwater import errors, limits, units, worker
from flatwater.proof.leaks import hunt
from flatwater.proof.leaks.report import LeakReport
from flatwater.proof.leaks.rounds import line_of

TIMEOUT_S = limits.LEAK_TIMEOUT_S
LIMIT_BYTES = limits.LEAK_LIMIT_BYTES

OUTPUT_DROPPED, OUTPUT_KEPT, OUTPUT_TO_STDERR = "dropped", "kept", "stderr"


def hunt_in_worker(
    action: str,
    *,
    undo: str | None = None,
    rounds: int = hunt.ROUNDS,
    warmup: int = hunt.WARMUP,
    ignore: Iterable[str] = (),
    cycles: bool | None = None,
    timeout_s: float = TIMEOUT_S,
    limit_bytes: int = LIMIT_BYTES,
    output: str = OUTPUT_DROPPED,
) -> LeakReport:
    """`find_leaks` in a process of its own, which is gone afterwards.

    Args:
        action: "module:function" or "file.py::function"; modules are searched for in the working directory as well.
        undo: the way back; likewise.
        rounds: as for `find_leaks`.
        warmup: likewise.
        ignore: likewise.
        cycles: likewise.
        timeout_s: seconds for all rounds together.
        limit_bytes: of memory for the process.
        output: what becomes of what the action prints: "dropped", "kept" or "stderr".

    Raises:
        LimitReached: it took longer, or ran out of memory.
        UsageError, ActionFailed: as `find_leaks`; the cause is the traceback in that process.
        BrokenError: the process died, or the hunt itself failed; the cause is the traceback in that process.
    """
    figures = {"undo": undo, "rounds": rounds, "warmup": warmup, "ignore": tuple(ignore), "cycles": cycles}
    try:
        done = worker.run(
            _hunt, (action, figures, output), limit=limit_bytes, timeout=timeout_s, result_bytes_max=_REPORT_BYTES_MAX
        )
    except worker.WorkerTimeout:
        raise errors.LimitReached(
            f"the hunt in {action} did not end in {units.format_duration(timeout_s)}; its process was killed.",
            what="timeout", limit=timeout_s,
            hint="Does the action end by itself? Then what it leaves takes long to look at: raise --timeout, lower --rounds, or let a round do less.",
        ) from None  # fmt: skip
    except worker.WorkerOverLimit as error:
        raise errors.LimitReached(
            f"{action} ended in a MemoryError; its process may take {units.format_bytes(limit_bytes)}.",
            what="memory", limit=limit_bytes, hint="Raise --limit, or let a round do less.",
        ) from error  # fmt: skip
    except worker.WorkerDied as error:
        raise errors.BrokenError(f"{action} ended the process it ran in: {error}") from error
    except worker.CallFailed as error:
        raise errors.BrokenError(f"the hunt in {action} failed: {error}") from error.__cause__
    except errors.FlatwaterError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it says nothing about leaks
        raise errors.BrokenError(f"the hunt in {action} failed: {line_of(error)}.") from error.__cause__
    report: LeakReport = done.value
    return report


_REPORT_BYTES_MAX = limits.LEAK_REPORT_BYTES_MAX


def _hunt(action: str, figures: dict[str, object], output: str) -> LeakReport:
    """The worker's side."""
    if output == OUTPUT_DROPPED:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
    elif output == OUTPUT_TO_STDERR:
        os.dup2(2, 1)
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    return hunt.find_leaks(action, **figures)  # type: ignore[arg-type]  # checked there
