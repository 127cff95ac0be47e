"""A fixed number of workers that take calls in turn.

Covers:     one call, many in order within a bounded window, futures; a worker that failed is replaced.
Not here:   flows of batches (`pipeline`), other machines.
Holds:      `workers` processes of `limit` bytes each; as many results, and `POOL_WAITING_PER_WORKER` calls for each.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self, TypeVar, final

from flatwater import errors, limits
from flatwater.worker.process import Worker

Item = TypeVar("Item")
Value = TypeVar("Value")


@final
class Pool:
    """Worker processes, each below its own memory limit. Thread-safe.

    A call that fails harms no other: its worker is replaced. Submitting blocks while enough calls wait, so that a fast
    producer does not fill memory.

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
        calls_max: int = 1_000,
        limit_kind: str = "rlimit_data",
        result_bytes_max: str | int = limits.WORKER_RESULT_BYTES_MAX,
    ) -> None:
        for name, count in (("workers", workers), ("calls_max", calls_max)):
            if isinstance(count, bool) or not isinstance(count, int) or count < 1:
                raise errors.UsageError(f"{name}={count!r}: at least 1.")
        if workers > limits.POOL_WORKERS_MAX:
            raise errors.UsageError(f"workers={workers}: at most {limits.POOL_WORKERS_MAX}.")
        self._timeout = timeout
        self._calls_max = calls_max
        self._idle = deque(
            (Worker(limit, limit_kind=limit_kind, result_bytes_max=result_bytes_max), 0) for _ in range(workers)
        )
        self._window = workers * (1 + limits.POOL_WAITING_PER_WORKER)
        self._room = threading.BoundedSemaphore(self._window)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="flatwater-pool")
        self._workers = [worker for worker, _ in self._idle]
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
            ClosedError: the pool is closed.
        """
        self._room.acquire()
        try:
            self._check_open()
            future = self._threads.submit(self._run, function, args, kwargs)
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
                    yield waiting.popleft().result()
                waiting.append(self.submit(function, item))
                while waiting and waiting[0].done():
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """Cancel what waits, kill what runs. Closing twice is fine."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.interrupt()
        self._threads.shutdown(wait=True)
        for worker in self._workers:
            worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise errors.ClosedError("this pool is closed.")

    def _run(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._check_open()
        worker, calls = self._idle.pop()  # there are as many workers as threads
        try:
            if calls >= self._calls_max:
                worker.kill()
                calls = 0
            return worker.run(function, args, kwargs, timeout=self._timeout).value
        finally:
            self._idle.append((worker, calls + 1 if worker.pid else 0))
