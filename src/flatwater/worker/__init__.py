"""Killable child processes with a memory limit of their own.

Covers:     the public names of this floor: calls in children, pools of them, limits, foreign commands.
Not here:   sampling what they take (`meter`), reserving for them (`budget`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater.worker.call import call, run
from flatwater.worker.command import Command, CommandNotStarted, Exit
from flatwater.worker.failures import (
    CallFailed,
    CallNotPicklable,
    RemoteTraceback,
    ResultNotPicklable,
    WorkerDied,
    WorkerOverLimit,
    WorkerTimeout,
)
from flatwater.worker.limit import LimitGroup, make_limit
from flatwater.worker.pool import Pool
from flatwater.worker.process import Outcome, Worker

__all__ = [
    "CallFailed",
    "CallNotPicklable",
    "Command",
    "CommandNotStarted",
    "Exit",
    "LimitGroup",
    "Outcome",
    "Pool",
    "RemoteTraceback",
    "ResultNotPicklable",
    "Worker",
    "WorkerDied",
    "WorkerOverLimit",
    "WorkerTimeout",
    "call",
    "make_limit",
    "run",
]
