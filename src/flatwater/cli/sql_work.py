"""A thread that asks the database, so that Ctrl-C ends the waiting and never stops a database in the middle of a step.

Covers:     asking, leaving what was interrupted, ending.
Not here:   what is asked.
Holds:      one thread, and one for each statement that was interrupted and is still at work.
"""

from __future__ import annotations

import contextlib
import contextvars
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Self, TypeVar, final

from flatwater import errors, limits

T = TypeVar("T")

_LOOK_S = 0.25  # where a waiting thread does not hear of Ctrl-C


@final
class Work:
    """Does one thing after the other in a thread of its own. Who asks waits, and may be interrupted."""

    def __init__(self) -> None:
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] | None = None
        self._left: list[Future[Any]] = []
        self._lock = threading.Lock()

    def ask(self, task: Callable[[], T], late: Callable[[], object] | None = None, *, wait_s: float | None = None) -> T:
        """What `task` gives.

        Args:
            task: is done in the thread.
            late: where nobody waits any more when it is done, this is done, too: it closes what was opened.
            wait_s: how long to wait.

        Raises:
            KeyboardInterrupt: the task is left to itself, and a new thread takes the next one.
            LimitReached: too many of those that were left are still at work.
            TimeoutError: it takes longer; it goes on.
        """
        future = self._begin(task)
        until = None if wait_s is None else time.monotonic() + wait_s
        try:
            while True:
                try:
                    return future.result(_LOOK_S if until is None else max(0.0, min(_LOOK_S, until - time.monotonic())))
                except TimeoutError:
                    if future.done() or (until is not None and time.monotonic() >= until):
                        raise
        except KeyboardInterrupt:
            self._leave(future, late)
            raise

    def open(self, begin: Callable[[], Any]) -> Opened:
        """What `begin` opens; the same errors."""
        made: list[Any] = []

        def task() -> Any:
            made.append(begin())
            return made[0]

        return Opened(self, self.ask(task, lambda: [each.close() for each in made]))

    def _begin(self, task: Callable[[], T]) -> Future[T]:
        with self._lock:
            self._left = [each for each in self._left if not each.done()]
            if len(self._left) >= limits.SHELL_LEFT_MAX:
                raise errors.LimitReached(
                    f"{len(self._left)} statements that were interrupted are still at work.",
                    what="statements", limit=limits.SHELL_LEFT_MAX, hint="Wait a little, or end the shell.",
                )  # fmt: skip
            if self._tasks is None:
                # flatwater: allow FW401 — the shell waits for one statement before it asks for the next
                self._tasks = queue.SimpleQueue()
                run = contextvars.copy_context().run
                threading.Thread(target=run, args=(_serve, self._tasks), name="flatwater-shell", daemon=True).start()
            future: Future[T] = Future()

            def do() -> None:
                try:
                    future.set_result(task())
                except BaseException as error:  # noqa: BLE001 - who asked gets it
                    future.set_exception(error)

            self._tasks.put(do)
            return future

    def _leave(self, future: Future[Any], late: Callable[[], object] | None) -> None:
        with self._lock:
            if self._tasks is not None:
                self._tasks.put(None)
                self._tasks = None
            self._left.append(future)
        if late is not None:
            future.add_done_callback(lambda _future: late())

    def close(self) -> None:
        """End, when what is at work has ended, or after a while."""
        with self._lock:
            if self._tasks is not None:
                self._tasks.put(None)
                self._tasks = None
            left, self._left = self._left, []
        until = time.monotonic() + limits.SHELL_LEFT_S
        for future in left:
            with contextlib.suppress(Exception):
                future.result(max(0.0, until - time.monotonic()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@final
class Opened:
    """Something that is read and closed in the thread of a `Work`; what is being read is closed when that is over."""

    def __init__(self, work: Work, thing: Any) -> None:
        self._work = work
        self._is_left = False
        self.thing = thing

    def ask(self, task: Callable[[], T]) -> T:
        """What `task` reads of it; see `Work.ask`."""
        try:
            return self._work.ask(task, self.thing.close)
        except KeyboardInterrupt:
            self._is_left = True
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._is_left:
            self._work.ask(self.thing.close)


def _serve(tasks: queue.SimpleQueue[Callable[[], None] | None]) -> None:
    while (task := tasks.get()) is not None:
        task()
        del task  # what it holds goes before the next one comes
