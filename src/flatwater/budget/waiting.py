"""Those who wait for bytes, in the order they came: threads and coroutines in one queue.

Covers:     one waiter, woken once, in its own thread or event loop.
Not here:   who is woken when (`budget.budget`).
Holds:      one small object per waiter.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol, final

if TYPE_CHECKING:
    import asyncio


class Waiter(Protocol):
    """Somebody in the queue. All attributes are guarded by the budget's lock."""

    count: int
    holder: str
    owner: int
    granted: bool

    def wake(self) -> bool:
        """Tell that the bytes are there; called without the budget's lock, from any thread. False: nobody is there."""


@final
class ThreadWaiter:
    """A thread that sleeps until it is woken or its time is over."""

    __slots__ = ("_signal", "count", "granted", "holder", "owner")

    def __init__(self, count: int, holder: str, owner: int) -> None:
        self.count = count
        self.holder = holder
        self.owner = owner
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

    __slots__ = ("_loop", "count", "future", "granted", "holder", "owner")

    def __init__(self, count: int, holder: str, owner: int, loop: asyncio.AbstractEventLoop) -> None:
        self.count = count
        self.holder = holder
        self.owner = owner
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
