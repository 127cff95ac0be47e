"""How a call in a worker can fail, each with what is known about it.

Covers:     death, hang, over-limit, what cannot be sent either way, a result that is too large.
Not here:   errors that the called function raises: they are raised again as they are, with the child's traceback.
Holds:      the end of the child's error output.
"""

from __future__ import annotations

from flatwater import errors


class WorkerDied(errors.BrokenError):
    """The worker process ended without an answer.

    Attributes:
        exit_code: of the process; negative is the signal that ended it.
        stderr_tail: the end of what it wrote to standard error.
    """

    def __init__(self, message: str, *, exit_code: int = 0, stderr_tail: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code
        self.stderr_tail = stderr_tail

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}\n{self.stderr_tail}" if self.stderr_tail else text


# Every figure has a default, so that an error can be pickled: it is made again from its message, then given its state.


class WorkerOverLimit(errors.LimitReached):
    """The call needed more memory than its worker's limit. `limit` is in bytes.

    Attributes:
        kind: the kernel limit that held: "rlimit_data", "cgroup v2" or "cgroup v1".
    """

    def __init__(self, message: str, *, limit: int = 0, kind: str = "", hint: str = "") -> None:
        super().__init__(message, what="worker memory", limit=limit, hint=hint)
        self.kind = kind


class WorkerTimeout(errors.LimitReached, TimeoutError):  # noqa: N818 - the name the field uses
    """The call did not end in time, and its worker was killed. `limit` is in seconds."""

    def __init__(self, message: str, *, limit: float = 0, hint: str = "") -> None:
        super().__init__(message, what="worker time", limit=limit, hint=hint)


class CallNotPicklable(errors.UsageError):
    """The function or its arguments cannot be sent to another process."""


class ResultNotPicklable(errors.BrokenError):
    """The function returned what cannot be sent back."""


class CallFailed(errors.BrokenError):
    """The function raised an exception that cannot be sent back itself; its text is in the message."""


class RemoteTraceback(Exception):  # noqa: N818 - it is the cause that a traceback shows, not an error of its own
    """The child's traceback: the `__cause__` of what a call raises."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"
