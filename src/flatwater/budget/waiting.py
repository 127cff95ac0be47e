"""Those who wait for bytes, in the order they came: threads and coroutines in one queue.

Covers:     one waiter, woken once, in its own thread or event loop; numbers for threads and tasks.
Not here:   who is woken when (`budget.ledger`).
Holds:      one small object per waiter, and two words for each task alive that was ready to wait.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from typing import TYPE_CHECKING, Any, Protocol, final

from flatwater.budget.reservation import Reservation

if TYPE_CHECKING:
    import asyncio

# An ident or id is used again once its thread or task is gone, and would be taken for a holder that it is not.
_numbers = itertools.count(1)
_of_threads = threading.local()
_of_tasks: weakref.WeakKeyDictionary[asyncio.Task[Any], int] = weakref.WeakKeyDictionary()


def thread_number() -> int:
    """Of the thread that calls; no other thread or task of this process ever has the same."""
    number: int = getattr(_of_threads, "number", 0)
    if not number:
        number = _of_threads.number = next(_numbers)
    return number


def task_number(task: asyncio.Task[Any] | None) -> int:
    """Of the task; no other thread or task of this process ever has the same. A coroutine without a task is always new."""
    if task is None:
        return next(_numbers)
    number = _of_tasks.get(task, 0)
    if not number:
        number = _of_tasks[task] = next(_numbers)
    return number


class Waiter(Protocol):
    """Somebody in the queue. All attributes are guarded by the budget's lock.

    Attributes:
        got: what it waits for; booked once `granted`.
        holder: the name it will be held under.
    """

    got: Reservation
    holder: str
    granted: bool

    def wake(self) -> bool:
        """Tell that the bytes are there; called without the budget's lock, from any thread. False: nobody is there."""


@final
class ThreadWaiter:
    """A thread that sleeps until it is woken or its time is over."""

    __slots__ = ("_signal", "got", "granted", "holder")

    def __init__(self, got: Reservation, holder: str) -> None:
        self.got = got
        self.holder = holder
        self.granted = False
        self._signal = threading.Lock()
        self._signal.acquire()

    def wake(self) -> bool:
        """Let the thread go on."""
        self._signal.release()
        return True

    def sleep(self, seconds: float) -> None:
        """Return when woken, or after `seconds`."""
        self._signal.acquire(timeout=seconds)


@final
class TaskWaiter:
    """A coroutine that awaits a future of its own loop."""

    __slots__ = ("_loop", "future", "got", "granted", "holder")

    def __init__(self, got: Reservation, holder: str, loop: asyncio.AbstractEventLoop) -> None:
        self.got = got
        self.holder = holder
        self.granted = False
        self._loop = loop
        self.future: asyncio.Future[None] = loop.create_future()

    def wake(self) -> bool:
        """Resolve the future in its loop; a loop that was closed meanwhile has nobody to wake."""
        try:
            self._loop.call_soon_threadsafe(_resolve, self.future)
        except RuntimeError:
            return False
        return True


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
