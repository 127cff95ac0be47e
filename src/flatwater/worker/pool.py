"""A fixed number of workers that take calls in turn.

Covers:     one call, many in order within a bounded window, futures; a worker that failed is replaced.
Not here:   flows of batches (`pipeline`), other machines.
Holds:      `workers` processes of `limit` bytes each; as many results, and `POOL_WAITING_PER_WORKER` calls for each.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self, TypeVar, final

from flatwater import errors, limits
from flatwater.worker.process import Worker

Item = TypeVar("Item")
Value = TypeVar("Value")
_POLL_S = 0.02  # between looks at calls that are being ended


@final
class Pool:
    """Worker processes, each below its own memory limit. Thread-safe.

    A call that fails harms no other: its worker is replaced. Submitting blocks while enough calls wait, so that a fast
    producer does not fill memory. Close it: the program's end waits for calls that run or wait. One that is dropped
    unclosed ends its processes after its last call, with a ResourceWarning. In a forked process it is closed, and
    futures that were waiting then never get a result there.

    Args:
        workers: how many processes.
        limit: bytes of each.
        timeout: seconds of one call, or a text such as "10s".
        calls_max: a worker is replaced after so many calls, so that what it leaks is bounded.
        limit_kind: as for `Worker`.
        result_bytes_max: as for `Worker`.

    Raises:
        UsageError: a bound that makes no sense.

    >>> with Pool(workers=2, limit="256 MiB") as pool:
    ...     list(pool.map(abs, [-1, -2, 3]))
    [1, 2, 3]
    """

    def __init__(
        self,
        workers: int = 2,
        *,
        limit: str | int = limits.WORKER_LIMIT_BYTES,
        timeout: str | float = limits.WORKER_TIMEOUT_S,
        calls_max: int = limits.POOL_CALLS_MAX,
        limit_kind: str = "rlimit_data",
        result_bytes_max: str | int = limits.WORKER_RESULT_BYTES_MAX,
    ) -> None:
        for name, count in (("workers", workers), ("calls_max", calls_max)):
            if isinstance(count, bool) or not isinstance(count, int) or count < 1:
                raise errors.UsageError(f"{name}={count!r}: at least 1.")
        if workers > limits.POOL_WORKERS_MAX:
            raise errors.UsageError(f"workers={workers}: at most {limits.POOL_WORKERS_MAX}.")
        errors.seconds_of(timeout, what="timeout", most=limits.WAIT_S_MAX)
        self._timeout = timeout
        self._calls_max = calls_max
        with contextlib.ExitStack() as made:  # a limit that cannot be made takes the others with it
            self._workers = [
                made.enter_context(Worker(limit, limit_kind=limit_kind, result_bytes_max=result_bytes_max))
                for _ in range(workers)
            ]
            made.pop_all()
        self._idle = deque((worker, 0) for worker in self._workers)
        self._window = workers * (1 + limits.POOL_WAITING_PER_WORKER)
        self._room = threading.BoundedSemaphore(self._window)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="flatwater-pool")
        self._owner = os.getpid()
        self._closed = False

    def bytes_max(self) -> int:
        """The most that this side holds, in bytes; each child holds at most its limit."""
        return sum(worker.bytes_max() for worker in self._workers)

    def call(self, function: Callable[..., Value], *args: Any, **kwargs: Any) -> Value:
        """Call it in the next free worker and wait. Raises what `Worker.run` raises."""
        return self.submit(function, *args, **kwargs).result()

    def submit(self, function: Callable[..., Value], *args: Any, **kwargs: Any) -> Future[Value]:
        """Call it when a worker is free; blocks while too many calls wait.

        Raises:
            ClosedError: the pool is closed, or belongs to the process this one was forked from.
            BrokenError: the system has no thread for it.
        """
        self._check_open()
        self._room.acquire()
        try:
            self._check_open()
            future = self._submit(function, args, kwargs)
        except BaseException:
            self._room.release()
            raise
        future.add_done_callback(lambda _: self._room.release())
        return future

    def map(self, function: Callable[[Item], Value], items: Iterable[Item]) -> Iterator[Value]:
        """Results in the order of the items. At most as many items are taken ahead as may wait or run.

        Closing the iterator early cancels what has not begun.
        """
        waiting: deque[Future[Value]] = deque()
        try:
            for item in items:
                # Its own oldest result first: two maps of one pool must not wait for each other's room.
                while len(waiting) >= self._window:
                    yield self._result(waiting.popleft())
                waiting.append(self.submit(function, item))
                while waiting and waiting[0].done():
                    yield self._result(waiting.popleft())
            while waiting:
                yield self._result(waiting.popleft())
        finally:
            for future in waiting if self._is_ours() else ():
                future.cancel()

    def close(self) -> None:
        """Cancel what waits, kill what runs. Closing twice is fine."""
        self._closed = True
        if self._is_ours():
            self._threads.shutdown(wait=False, cancel_futures=True)
            # More than once: a call may just be starting its worker. None begins after this.
            while len(self._idle) < len(self._workers):
                for worker in self._workers:
                    worker.interrupt()
                time.sleep(_POLL_S)
            self._threads.shutdown(wait=True)
        for worker in self._workers:
            worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Its threads and workers end themselves when it is gone.
        pids = [worker.pid for worker in getattr(self, "_workers", ()) if worker.pid]
        if pids and not getattr(self, "_closed", True):
            warnings.warn(f"unclosed pool (processes {pids})", ResourceWarning, stacklevel=2, source=self)

    def _is_ours(self) -> bool:
        return self._owner == os.getpid()

    def _check_open(self) -> None:
        if not self._is_ours():
            raise errors.ClosedError(
                "this pool belongs to the process that this one was forked from.", hint="Make one in this process."
            )
        if self._closed:
            raise errors.ClosedError("this pool is closed.", hint="Make another.")

    def _result(self, future: Future[Value]) -> Value:
        if not self._is_ours():  # the thread that would set it is in the other process
            self._check_open()
        return future.result()

    def _submit(self, function: Callable[..., Value], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Future[Value]:
        refused: list[bool] = []  # the executor keeps a call for which it found no thread, and may run it later
        try:
            return self._threads.submit(self._run, refused, function, args, kwargs)
        except RuntimeError as error:  # it has no type of its own: closed meanwhile, or no thread
            refused.append(True)
            self._check_open()
            raise errors.BrokenError(
                f"a call could not be submitted: {error}.", hint="Let other threads and processes end (ulimit -u)."
            ) from error

    def _run(
        self, refused: list[bool], function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if refused:
            return None  # its caller has had an error
        worker, calls = self._idle.pop()  # there are as many workers as threads
        try:
            self._check_open()
            if calls >= self._calls_max:
                worker.kill()
                calls = 0
            return worker.run(function, args, kwargs, timeout=self._timeout).value
        finally:
            self._idle.append((worker, calls + 1 if worker.pid else 0))
