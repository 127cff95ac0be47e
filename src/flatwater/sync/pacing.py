"""No more than so many requests, or bytes, in a second.

Covers:     a pace that several threads keep together, and one that is no limit.
Not here:   who takes from it.
Holds:      a number.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol, final

_BURST_S = 0.1  # what was not taken for so long may be taken at once


class Pace(Protocol):
    """What may be taken from it, in time. Thread-safe."""

    def take(self, count: int = 1) -> None:
        """Take so many, when it is time for them."""


@final
class Limited:
    """So many in a second, for all threads together: a token bucket whose tokens may be owed.

    Args:
        per_second: of what is taken.
        clock: seconds, rising.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._per_second = per_second
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._due = clock()  # when the next one may be taken

    def take(self, count: int = 1) -> None:
        """Take so many; sleeps until those before have had their time."""
        with self._lock:
            now = self._clock()
            begin = max(self._due, now - _BURST_S)
            self._due = begin + count / self._per_second
        if begin > now:
            self._sleep(begin - now)


@final
class _Free:
    """No limit."""

    def take(self, count: int = 1) -> None:
        """Take them."""


FREE = _Free()
