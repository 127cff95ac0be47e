"""`fw.watch()`: a program watched from one line on, for the rest of its life.

Covers:     one watcher for a process, its budget as the ambient one, alerts, a last line at the end.
Not here:   watching (`watch.watcher`), a service's answers while it is full (`adapters`).
Holds:      one watcher.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from flatwater import errors, limits, units
from flatwater.budget import ambient
from flatwater.budget.budget import Budget, set_process_budget
from flatwater.watch.alerts import Alerts
from flatwater.watch.watcher import Watcher

if TYPE_CHECKING:
    from flatwater.watch.alerts import Target

_lock = threading.Lock()
_watching: tuple[int, Watcher, tuple[object, ...]] | None = None
_alerts: Alerts | None = None


def watch(budget: str | int | None = None, *, alert: Target | Alerts | None = None, **given: Any) -> Watcher:
    """Watch this process until it ends: shed, collect and trim, close the gate, write evidence, and say so.

    Calling it again gives the same watcher, and a new one in a forked child, or where the one before was stopped.

    Args:
        budget: of the whole process, as a size; what it may have, if left out, or as much as the process had that this one was forked from. It is the
            ambient budget of the code that follows, in all threads.
        alert: a logger, an `https://` URL, a function of one alert, or `Alerts`.
        given: arguments of `fw.Watcher`, such as `separate=True`.

    Raises:
        UsageError: it watches already, with other arguments.

    Thread-safe. Holds what `Watcher.bytes_max` says.

    import flatwater as fw; fw.watch("512 MiB")
    """
    global _watching, _alerts  # noqa: PLW0603 - one for a process is what it is
    size = errors.bytes_of(budget, what="budget", least=limits.BUDGET_BYTES_MIN) if budget is not None else None
    asked = (size, alert, tuple(sorted((name, repr(value)) for name, value in given.items())))
    with _lock:
        if _watching is not None and _watching[0] == os.getpid() and not _watching[1]._stopped:  # noqa: SLF001 - of one floor
            if asked not in (_watching[2], (None, None, ())):
                raise errors.UsageError(
                    "this process is watched already, with other arguments.",
                    hint="Call fw.watch() once, where the program begins.",
                )
            return _watching[1]
        if size is None and _watching is not None and _watching[0] != os.getpid():
            size = _watching[1].limit  # the budget itself is the parent's
        made = Budget(size, name="program") if size is not None else Budget.current()
        watcher = Watcher(made, **given)
        _alerts = alert if alert is None or isinstance(alert, Alerts) else Alerts(alert)
        if _alerts is not None:
            _alerts._ends_with_program = True  # noqa: SLF001 - of one floor: `_end` waits for it, once
            watcher.on_level(_alerts)
        watcher.start()
        if size is not None:
            set_process_budget(made)
            if ambient.current() is not None:
                made.__enter__()  # inside the block that is open, and for the rest of the program
        if _watching is None:
            atexit.register(_end)
        _watching = (os.getpid(), watcher, asked)
        return watcher


def _forget_threads() -> None:
    global _lock  # noqa: PLW0603 - in the child of a fork, who held it does not exist
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


def _end() -> None:
    """The last line, if there is something to say."""
    if _watching is None or _watching[0] != os.getpid():
        return
    watcher = _watching[1]
    watcher.stop()
    if _alerts is not None:
        _alerts.flush()
    if watcher.alarms and not logging.getLogger("flatwater.watch").disabled:
        times = "once" if watcher.alarms == 1 else f"{watcher.alarms} times"
        limit = units.format_bytes(watcher.limit)
        print(f"flatwater watch: memory came near its limit of {limit} {times}", file=sys.stderr)  # noqa: T201 - the program's own stderr
