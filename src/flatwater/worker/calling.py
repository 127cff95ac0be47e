"""One call in a killable process of its own.

Covers:     call and value, call and what it cost.
Not here:   calling again in the same process (`worker.process`), many at a time (`worker.pool`).
Holds:      one worker while it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from flatwater import limits
from flatwater.worker.process import Outcome, Worker

Value = TypeVar("Value")


def call(
    function: Callable[..., Value],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    limit: str | int = limits.WORKER_LIMIT_BYTES,
    timeout: str | float = limits.WORKER_TIMEOUT_S,
    limit_kind: str = "rlimit_data",
    result_bytes_max: str | int = limits.WORKER_RESULT_BYTES_MAX,
) -> Value:
    """Call `function(*args, **kwargs)` in a fresh process, and return what it returns.

    The process may take `limit` bytes and `timeout` seconds, dies with the caller, and is gone afterwards. Thread-safe.
    Raises what the function raises, and what `Worker.run` names.

    >>> call(sum, ([1, 2, 3],), limit="256 MiB", timeout="30s")
    6
    """
    outcome = run(
        function, args, kwargs, limit=limit, timeout=timeout, limit_kind=limit_kind, result_bytes_max=result_bytes_max
    )
    value: Value = outcome.value
    return value


def run(
    function: Callable[..., Any],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    limit: str | int = limits.WORKER_LIMIT_BYTES,
    timeout: str | float = limits.WORKER_TIMEOUT_S,
    limit_kind: str = "rlimit_data",
    result_bytes_max: str | int = limits.WORKER_RESULT_BYTES_MAX,
) -> Outcome:
    """`call`, with what it cost beside the value: peak memory, processor and wall seconds, and which limit held."""
    with Worker(limit, limit_kind=limit_kind, result_bytes_max=result_bytes_max) as worker:
        return worker.run(function, args, kwargs, timeout=timeout)
