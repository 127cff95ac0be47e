"""What the processes that a step starts hold, seen from outside while the step runs.

Covers:     a thread that samples them, and what is taken for those that it missed.
Not here:   what this process holds (`meter.probe`); sampling a tree (`meter.tree`).
Holds:      a thread with a small stack, and what a `Tree` holds.

What the kernel tells of children that have ended (getrusage(2)) is not enough by itself: a process that was started by a larger one
begins with the size of that one.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import NamedTuple, Self, final

from flatwater import errors, units
from flatwater.meter.tree import MARK_SLACK_BYTES, Tree

_PERIOD_S = 0.02
_STACK_BYTES = 256 * units.KIB


@final
class Children:
    """Watches the processes below this one in a `with`. For one use.

    >>> with Children() as children:
    ...     pass
    >>> children.settle(0)
    0
    """

    def __init__(self) -> None:
        self._tree = Tree(os.getpid(), wait_for_program=True)
        self._end = threading.Event()
        self._before = _ended()
        before = threading.stack_size(_STACK_BYTES)
        try:
            self._thread = threading.Thread(target=self._watch, daemon=True, name="flatwater-tour-children")
            self._thread.start()
        finally:
            threading.stack_size(before)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def settle(self, own_peak: int) -> int:
        """The most that they can have held together, in resident bytes, when it is over; 0 if there were none.

        What the kernel tells of one that was missed is its own only where it is more than `own_peak`, which this process had (and by more
        than two readings of one mark differ).
        """
        peak = self._tree.peaks_sum
        ended = _ended()
        if ended.faults > self._before.faults:
            if not self._tree.seen:
                peak = ended.peak
            elif ended.peak > max(self._before.peak, own_peak + MARK_SLACK_BYTES):
                peak = max(peak, ended.peak)
        return peak

    def _watch(self) -> None:
        while not self._end.wait(_PERIOD_S):
            try:
                self._tree.sample(discover=True)
            except (OSError, errors.FlatwaterError):  # they cannot be sampled here: what the kernel tells is left
                return


class _Ended(NamedTuple):
    """Of the processes that this one started and that have ended: the highest resident size of one, page faults of all."""

    peak: int
    faults: int


def _ended() -> _Ended:
    """The peak is an upper bound: one that was started by a larger process begins with what that one has."""
    try:
        import resource
    except ImportError:
        return _Ended(0, 0)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return _Ended(used.ru_maxrss * (1 if sys.platform == "darwin" else units.KIB), used.ru_minflt + used.ru_majflt)
