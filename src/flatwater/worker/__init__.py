"""Killable child processes with a memory limit of their own.

Covers:     the public names of this floor: calls in children, pools of them, limits, foreign commands.
Not here:   sampling what they take (`meter`), reserving for them (`budget`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import lazy

TYPE_CHECKING = False  # typing itself takes as long to import as all else here
if TYPE_CHECKING:
    from flatwater.worker.calling import call as call
    from flatwater.worker.calling import run as run
    from flatwater.worker.command import Command as Command
    from flatwater.worker.command import CommandNotStarted as CommandNotStarted
    from flatwater.worker.command import Exit as Exit
    from flatwater.worker.failures import CallFailed as CallFailed
    from flatwater.worker.failures import CallNotPicklable as CallNotPicklable
    from flatwater.worker.failures import RemoteTraceback as RemoteTraceback
    from flatwater.worker.failures import ResultNotPicklable as ResultNotPicklable
    from flatwater.worker.failures import WorkerDied as WorkerDied
    from flatwater.worker.failures import WorkerOverLimit as WorkerOverLimit
    from flatwater.worker.failures import WorkerTimeout as WorkerTimeout
    from flatwater.worker.limit import LimitGroup as LimitGroup
    from flatwater.worker.limit import make_limit as make_limit
    from flatwater.worker.pool import Pool as Pool
    from flatwater.worker.process import Outcome as Outcome
    from flatwater.worker.process import Worker as Worker

_HOMES = {
    "call": "flatwater.worker.calling",
    "run": "flatwater.worker.calling",
    "Command": "flatwater.worker.command",
    "CommandNotStarted": "flatwater.worker.command",
    "Exit": "flatwater.worker.command",
    "CallFailed": "flatwater.worker.failures",
    "CallNotPicklable": "flatwater.worker.failures",
    "RemoteTraceback": "flatwater.worker.failures",
    "ResultNotPicklable": "flatwater.worker.failures",
    "WorkerDied": "flatwater.worker.failures",
    "WorkerOverLimit": "flatwater.worker.failures",
    "WorkerTimeout": "flatwater.worker.failures",
    "LimitGroup": "flatwater.worker.limit",
    "make_limit": "flatwater.worker.limit",
    "Pool": "flatwater.worker.pool",
    "Outcome": "flatwater.worker.process",
    "Worker": "flatwater.worker.process",
}
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

__getattr__, __dir__ = lazy.names("flatwater.worker", _HOMES)
