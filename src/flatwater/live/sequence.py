"""Numbers that only grow, and tell the time: of changes, and of SNOWFLAKE_ID().

Covers:     the next number, whatever the clock does.
Not here:   where changes are kept (`live.log`).
Holds:      the last number.

A number is the milliseconds since 1970, times 1024, or one more than the last one if that is more: below 2 to the 53rd until the
year 2248, so that it is exact in JavaScript, too. A clock that is put back stops the numbers' time until it has caught up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, final

PER_MS: Final = 1_024


@final
class Sequence:
    """The counter of a database. Thread-safe.

    Args:
        last: the number that the next one is above.
        clock: seconds since 1970.
    """

    def __init__(self, last: int = 0, clock: Callable[[], float] = time.time) -> None:
        self._last = last
        self._clock = clock
        self._lock = threading.Lock()

    def start(self, last: int) -> None:
        """Go on above `last`."""
        with self._lock:
            self._last = max(self._last, last)

    @property
    def last(self) -> int:
        """The last number that was given out."""
        return self._last

    def next(self) -> int:
        """One that was never given out."""
        with self._lock:
            self._last = max(self._last + 1, int(self._clock() * 1_000) * PER_MS)
            return self._last

    def now(self) -> int:
        """The number of this moment: of rows that are as old as that, those before it are older."""
        return max(int(self._clock() * 1_000) * PER_MS, 0)

    def time(self) -> float:
        """Seconds since 1970, as the clock has it."""
        return self._clock()
