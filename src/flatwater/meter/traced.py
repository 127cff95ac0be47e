"""tracemalloc, for those who ask which lines hold the growth.

Covers:     starting and stopping it for any number of users, growth between two moments, its top lines.
Not here:   native memory, which tracemalloc does not see.
Holds:      what tracemalloc holds: about a third on top of Python's memory while it traces.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flatwater import limits

if TYPE_CHECKING:
    import tracemalloc

_lock = threading.Lock()
_users = 0
_was_tracing = False
_HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass(frozen=True, slots=True)
class Growth:
    """Between two moments; bytes.

    Attributes:
        bytes: growth of what Python's allocators hold.
        peak: the most they held at once.
        top: `(file:line, bytes, blocks)`, largest growth first.
    """

    bytes: int
    peak: int
    top: tuple[tuple[str, int, int], ...]


def begin() -> None:
    """Trace from now on, unless somebody does already; call `end` once for each."""
    import tracemalloc

    global _users, _was_tracing  # noqa: PLW0603 - there is one tracer
    with _lock:
        if not _users:
            _was_tracing = tracemalloc.is_tracing()
            if not _was_tracing:
                tracemalloc.start()
        _users += 1


def end() -> None:
    """The last one stops tracing, if it was not on before."""
    import tracemalloc

    global _users  # noqa: PLW0603 - there is one tracer
    with _lock:
        _users = max(0, _users - 1)
        if not _users and not _was_tracing:
            tracemalloc.stop()


def now() -> tuple[tracemalloc.Snapshot, int]:
    """A moment to compare with, and the bytes held then; the peak starts over."""
    import tracemalloc

    snapshot = _filtered(tracemalloc.take_snapshot())
    tracemalloc.reset_peak()
    return snapshot, tracemalloc.get_traced_memory()[0]


def since(then: tuple[tracemalloc.Snapshot, int]) -> Growth:
    """What grew since `then`."""
    import tracemalloc

    held, peak = tracemalloc.get_traced_memory()
    differences = _filtered(tracemalloc.take_snapshot()).compare_to(then[0], "lineno")
    least = max(1, (held - then[1]) // 100)  # below a hundredth of the growth a line explains nothing
    grown = sorted((entry for entry in differences if entry.size_diff >= least), key=lambda entry: -entry.size_diff)
    top = tuple(
        (f"{entry.traceback[0].filename}:{entry.traceback[0].lineno}", entry.size_diff, entry.count_diff)
        for entry in grown[: limits.MEASURE_TOP_LINES]
    )
    return Growth(bytes=held - then[1], peak=peak, top=top)


def _filtered(snapshot: tracemalloc.Snapshot) -> tracemalloc.Snapshot:
    import tracemalloc

    ours = tracemalloc.Filter(inclusive=False, filename_pattern=os.path.join(_HERE, "*"))
    theirs = tracemalloc.Filter(inclusive=False, filename_pattern=tracemalloc.__file__)
    return snapshot.filter_traces((ours, theirs))
