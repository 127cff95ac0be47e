"""Tell threads that still work behind a call from those that end what they were given last.

Covers:     one question, of a process whose call has returned.
Not here:   which threads there are (`proof.child`, `testing.window`).
Holds:      nothing.

A pool that gives memory back behind the last call has no work left: it is quiet soon. It imports the standard library
only, and little of that: it is in the base of every measurement.
"""

from __future__ import annotations

from time import monotonic, process_time, sleep  # by name: a scenario may stop the module's clocks

TYPE_CHECKING = False  # typing is one more module in a process that is kept bare
if TYPE_CHECKING:
    from collections.abc import Callable

QUIET_S = 0.25  # without work, and they are done
_LOOK_S = 0.02  # between two looks
_BUSY_S = 0.010  # on a processor within QUIET_S: they work, also on a crowded machine; one that only samples takes less
_WAIT_S = 1.0  # for quiet


def still_works(are_there: Callable[[], bool]) -> bool:
    """Whether threads work on until nobody waits for them any more; `are_there` tells whether any of them are left.

    Done as soon as none is left, or within QUIET_S where all are idle.
    """
    end_s = monotonic() + _WAIT_S
    cpu_s, quiet_s = process_time(), monotonic() + QUIET_S
    while are_there():
        sleep(_LOOK_S)
        now_s = monotonic()
        if process_time() - cpu_s > _BUSY_S:
            if now_s >= end_s:
                return True
            cpu_s, quiet_s = process_time(), now_s + QUIET_S
        elif now_s >= quiet_s:
            return False
    return False
