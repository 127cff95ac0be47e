"""Every default bound, named, with what it costs.

Covers:     the limits of all floors, one section each; the relations between them, asserted with a reason.
Not here:   what a user sets (arguments), and measured facts (docs).
Holds:      integers.

Nothing here is `None` or infinite: a bound that cannot be named is not a bound.
"""

from __future__ import annotations

from flatwater.units import GIB, KIB, MIB

# --- budget -----------------------------------------------------------------------------------------------------------

BUDGET_BYTES_MIN = 1  # a budget of 0 could hold nothing: refused as a mistake
BUDGET_RAM_SHARE = 0.5  # of physical memory, when nothing else limits the process

# --- meter ------------------------------------------------------------------------------------------------------------

SAMPLE_PERIOD_S = 0.010  # one pread of statm (about 1.2 us) each
TIMELINE_POINTS_MAX = 2_048  # 3 floats a point: 48 KiB a timeline, then it halves its resolution

# --- worker -----------------------------------------------------------------------------------------------------------

LIMIT_BYTES_MIN = 4 * MIB  # no interpreter starts below it

# --- watch ------------------------------------------------------------------------------------------------------------

# --- run --------------------------------------------------------------------------------------------------------------

RUN_LINGER_S = 5.0  # how long what a program leaves behind is still measured after the program ended
RUN_GRACE_S = 10.0  # between a forwarded SIGTERM and SIGKILL
RUN_PROCESSES_MAX = 4_096  # of one tree, followed at a time; 200 B each
RUN_SUSPECTS_MAX = 10  # lines named in a report
RUN_SUSPECTS_KEPT_MAX = 2_000  # lines remembered while a program runs; about 2 KiB each with its stack
RUN_ASKS_PENDING_MAX = 64  # unanswered asks of one process; the oldest are given up
RUN_TRACE_BYTES_MAX = 4 * MIB  # of stack dumps a traced program may leave in its temporary file

assert RUN_TRACE_BYTES_MAX < GIB  # it is read whole when the program ends
assert TIMELINE_POINTS_MAX % 2 == 0  # it is halved by merging pairs
assert KIB < LIMIT_BYTES_MIN
