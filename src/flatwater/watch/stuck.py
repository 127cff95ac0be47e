"""What is done about a process whose interpreter does not answer: nothing, or a second process that watches it.

Covers:     the user's wish, checked; starting the second process with the watcher's own thresholds.
Not here:   its life and heartbeat (`watch.separate`), what it does (`watch.sentinel`).
Holds:      three values.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from flatwater import errors, limits
from flatwater.watch.levels import Thresholds

if TYPE_CHECKING:
    from flatwater.watch.separate import Separate


@final
@dataclass(frozen=True, slots=True)
class Stuck:
    """The wish.

    Attributes:
        separate: whether there is a second process at all.
        signal_number: what it sends, once, to a process that stays critical and silent; 0 for nothing.
        after_s: for how long it must be so.

    Raises:
        UsageError: no such signal, or a time that cannot be meant.

    >>> Stuck(separate=True, signal_number=15, after_s=5.0).after_s
    5.0
    """

    separate: bool
    signal_number: int
    after_s: float

    def __post_init__(self) -> None:
        import signal

        checked_s(self.after_s, what="stuck_after_s")
        number = self.signal_number
        known = isinstance(number, int) and not isinstance(number, bool)
        if not known or (number != 0 and number not in signal.valid_signals()):
            raise errors.UsageError(
                f"stuck_signal={number!r} is no signal.", hint="For example signal.SIGTERM; 0 for none."
            )

    def start(
        self, at: Thresholds, *, limit_bytes: int, period_s: float, use_rss: bool, directory: str
    ) -> tuple[Separate | None, str]:
        """`(process, "")`, or `(None, why)`; the why is empty where none was wished for.

        Args:
            at: the watcher's thresholds; the second process knows only critical.
            limit_bytes: of the watched process.
            period_s: between samples.
            use_rss: whether the resident size counts, rather than the anonymous one.
            directory: for evidence; the system's temporary one if empty. It is made when missing.
        """
        if not self.separate:
            return None, ""
        import tempfile

        from flatwater.watch.separate import Separate

        directory = directory or tempfile.gettempdir()
        os.makedirs(directory, exist_ok=True)
        process = Separate(
            limit_bytes=limit_bytes,
            critical_bytes=math.ceil(at.critical * limit_bytes),
            critical_samples=at.critical_samples,
            period_s=period_s,
            directory=directory,
            use_rss=use_rss,
            signal_number=int(self.signal_number),
            signal_after_s=self.after_s,
        )
        doubt = process.start()
        return (None, doubt) if doubt else (process, "")


def checked_s(value: float, *, what: str) -> float:
    """A time that a watcher can use.

    Raises:
        UsageError: not a number from 1 ms to an hour.

    >>> checked_s(0.01, what="period_s")
    0.01
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not limits.SAMPLE_PERIOD_S_MIN <= value <= limits.SAMPLE_PERIOD_S_MAX
    ):
        raise errors.UsageError(
            f"{what}={value!r}: from {limits.SAMPLE_PERIOD_S_MIN} to {limits.SAMPLE_PERIOD_S_MAX} seconds."
        )
    return value
