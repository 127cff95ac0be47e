"""tracemalloc, for those who ask which lines hold the growth.

Covers:     starting and stopping it for any number of users, growth between two moments, its top lines.
Not here:   native memory, which tracemalloc does not see.
Holds:      what tracemalloc holds: about 110 bytes for each block while it traces; the list of blocks that were traced at
            each open moment, about 100 bytes each.

A measure may end inside any other function of this file, in the same thread; see `collector.lock`.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from flatwater import limits
from flatwater.meter import collector

if TYPE_CHECKING:
    from collections.abc import Sequence

_users = 0
_is_ours = False  # tracing was started here, so it is stopped here
_HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "")
_ENTRY_BYTES_UNCOUNTED = 48  # of a traced block: what get_tracemalloc_memory leaves out (hashtable.c, _tracemalloc.c:
# the value is a block of its own, 32 bytes in glibc, and the entry of 32 takes 48). Measured: right to 1 % on 3.11


@dataclass(frozen=True, slots=True)
class Growth:
    """Between two moments; bytes.

    Attributes:
        bytes: growth of what Python's allocators hold, of what was allocated since tracing began.
        peak: the most of it they held at once; -1 where `doubt` says why it is not known.
        top: `(file:line, bytes, blocks)`, largest growth first.
        tracer: growth of the tracer's own memory, which is native memory.
        doubt: why there are no figures; empty if there are.
    """

    bytes: int
    peak: int
    top: tuple[tuple[str, int, int], ...]
    tracer: int
    doubt: str = ""


@final
class Moment:
    """What is compared with later, and the peak since then. Is itself a traced object: see `since`."""

    __slots__ = ("held", "peak", "tracer", "traces")

    def __init__(self) -> None:
        self.held = 0
        self.peak = 0
        self.tracer = 0
        self.traces: Sequence[Any] = ()


_moments: list[Moment] = []  # open ones


def begin() -> None:
    """Trace from now on, unless somebody does already; call `end` once for each."""
    import tracemalloc

    global _users, _is_ours  # noqa: PLW0603 - there is one tracer
    with collector.lock:
        _users += 1
        if not tracemalloc.is_tracing():  # the program may have stopped it while others measure
            tracemalloc.start()
            _is_ours = True


def end() -> None:
    """The last one stops tracing, if it was not on before."""
    import tracemalloc

    global _users, _is_ours  # noqa: PLW0603 - there is one tracer
    with collector.lock:
        _users = max(0, _users - 1)
        if not _users and _is_ours:
            _is_ours = False
            tracemalloc.stop()
        if not _users:
            _moments.clear()


def now() -> Moment:
    """A moment to compare with; the peak starts over, for this one alone."""
    import tracemalloc

    moment = Moment()
    _fold_peak()
    moment.traces = _traces()
    tracemalloc.reset_peak()  # what listing the blocks took is no peak of anybody's
    moment.held = tracemalloc.get_traced_memory()[0]
    moment.tracer = tracemalloc.get_tracemalloc_memory() + len(moment.traces) * _ENTRY_BYTES_UNCOUNTED
    _moments.append(moment)
    return moment


def since(then: Moment) -> Growth:
    """What grew since `then`, which is closed by it. About 1.5 us for each block that is traced."""
    import tracemalloc

    held = tracemalloc.get_traced_memory()[0]
    _fold_peak()
    if then in _moments:
        _moments.remove(then)
    if tracemalloc.get_object_traceback(then) is None:
        doubt = "tracemalloc was stopped or cleared inside the measure, so what Python's allocators hold is not known"
        return Growth(0, -1, (), 0, doubt)
    tracer = tracemalloc.get_tracemalloc_memory()  # before the list, whose rows are traced too
    traces = _traces()
    tracer += len(traces) * _ENTRY_BYTES_UNCOUNTED - then.tracer
    top = _top(then.traces, traces, held - then.held)
    del traces
    then.traces = ()
    tracemalloc.reset_peak()  # what was held here is no peak of those that are still open
    return Growth(bytes=held - then.held, peak=then.peak, top=top, tracer=tracer)


def _fold_peak() -> None:
    """Into all that are open; then it starts over."""
    import tracemalloc

    with collector.lock:
        peak = tracemalloc.get_traced_memory()[1]
        for moment in list(_moments):  # noqa: PERF101 - a collection in here may close one
            moment.peak = max(moment.peak, peak)
        tracemalloc.reset_peak()


def _traces() -> Sequence[Any]:
    """`(domain, bytes, frames, …)` of each traced block, frames from the innermost; none if tracing was stopped."""
    import tracemalloc

    try:
        traces = tracemalloc.take_snapshot().traces
    except RuntimeError:  # tracing was stopped
        return ()
    # The rows themselves: going through the public sequence makes an object of each, and traces it, for 7 us.
    rows: Sequence[Any] = traces._traces  # type: ignore[attr-defined]  # noqa: SLF001 - as said
    return rows


def _top(before: Sequence[Any], after: Sequence[Any], growth: int) -> tuple[tuple[str, int, int], ...]:
    """The lines that hold most of `growth`, this floor's and tracemalloc's own left out."""
    import tracemalloc

    old, new = _by_line(before), _by_line(after)
    least = max(1, growth // 100)  # below a hundredth of the growth a line explains nothing
    grown = []
    for place, sizes in new.items():
        file, line = place
        if file.startswith(_HERE) or file == tracemalloc.__file__:
            continue
        was = old.get(place, ())
        size = sum(sizes) - sum(was)
        if size >= least:
            grown.append((f"{file}:{line}", size, len(sizes) - len(was)))
    grown.sort(key=lambda entry: -entry[1])
    return tuple(grown[: limits.MEASURE_TOP_LINES])


def _by_line(traces: Sequence[Any]) -> dict[tuple[str, int], list[int]]:
    """The sizes of all blocks by line. Kept, not added up: each sum would be a new object, and traced."""
    sizes: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for trace in traces:
        sizes[trace[2][0]].append(trace[1])
    return sizes
