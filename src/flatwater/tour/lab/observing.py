"""In a fresh process: run one program, and note what only that process can know.

Covers:     sizes at each moment and the peak since the one before, tracemalloc's figures, an object's own size, CPU time.
Not here:   starting the process (`tour.lab.running`), the programs (`tour.lab.programs`).
Holds:      a few numbers a moment.

Everything is imported and read once before the program starts, so that the figures are the program's alone; where a
file of programs names modules in `IMPORTS`, for these and the ambient budget, too.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
import time
import tracemalloc
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from flatwater import limits
from flatwater.meter import probe, retained
from flatwater.tour.lab.programs import Count

TABLE_BYTES = 64 << 10  # more at once than a name takes


@dataclass(frozen=True, slots=True)
class Moment:
    """What was seen when the program said where it is; bytes, -1 where unknown or not asked for.

    Attributes:
        name: of the moment.
        resident: above the start; can be below 0.
        peak: above the resident size at the moment before: the growth of this step.
        traced: in Python's allocators, of what was allocated since the start.
        traced_peak: the same, the most since the moment before.
        live: of the resident size, in objects that are referred to.
        pinned: in arenas that objects in them keep.
        kept: in malloc, for later.
        own_bytes: `sys.getsizeof` of the object that the program named.
        count: what the program counted.
    """

    name: str
    resident: int
    peak: int
    traced: int = -1
    traced_peak: int = -1
    live: int = -1
    pinned: int = -1
    kept: int = -1
    own_bytes: int = -1
    count: int = -1


@dataclass(frozen=True, slots=True)
class Observation:
    """What one run of one program gave.

    Attributes:
        answer: what it returned; None if the run was ended at a moment before.
        peak: highest resident size above the start, bytes; -1 where the platform does not tell.
        traced_peak: the most in Python's allocators at once; -1 without tracemalloc.
        cpu_s: processor seconds of the program alone.
        wall_s: by the clock.
        moments: in their order.
    """

    answer: int | None
    peak: int
    traced_peak: int
    cpu_s: float
    wall_s: float
    moments: tuple[Moment, ...]


def observe(
    program: str, args: Sequence[object], *, traced: bool = False, until: str = "", parts: bool = False
) -> Observation:
    """Run `program` ("module:function") here, once.

    Args:
        program: what to run; see `tour.lab.programs`.
        args: its arguments.
        traced: below tracemalloc, one frame deep. Resident sizes and times are then tracemalloc's as well.
        until: end the run at this moment.
        parts: split the resident size at each moment.
    """
    module, _, name = program.partition(":")
    programs = importlib.import_module(module)
    if needed := getattr(programs, "IMPORTS", ()):
        _warm_up(needed)
    function = getattr(programs, name)
    return _Observer(traced=traced, until=until, parts=parts).run(function, args)


def _warm_up(modules: Sequence[str]) -> None:
    from flatwater.budget import Budget

    Budget.current()  # the ambient one, which parts of the house ask: it is made when the first one does
    for module in modules:
        with contextlib.suppress(ImportError):  # a program that needs it fails by itself
            importlib.import_module(module)


def make_room_for_names() -> None:
    """Let the interpreter's table of names grow now: it does so at some name, by 400 KiB here, and that would be in the figures."""
    tracemalloc.start(1)
    for number in range(limits.LAB_NAMES_MAX):
        before = tracemalloc.get_traced_memory()[0]
        sys.intern(f"name {number} of nobody")  # is dropped, and its place in the table is used up
        if tracemalloc.get_traced_memory()[0] - before > TABLE_BYTES:
            break
    tracemalloc.stop()


class _Observer:
    def __init__(self, *, traced: bool, until: str, parts: bool) -> None:
        self.traced, self.until, self.parts = traced, until, parts
        self.moments: list[Moment] = []
        self.peak = self.traced_peak = -1
        self.knows_peaks = True

    def run(self, function: Callable[..., Any], args: Sequence[object]) -> Observation:
        retained.retention()  # what it imports on its first call
        make_room_for_names()
        gc.collect()
        if self.traced:
            tracemalloc.start(1)
        self.start = self.last = probe.usage().rss
        self.knows_peaks = probe.reset_peak_rss()
        if self.traced:
            tracemalloc.reset_peak()  # of the readings above
        self.base = self._traced()[0]
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        answer: int | None = function(*args)
        if isinstance(answer, Generator):
            answer = self._walk(answer)
        traced = self._traced()[1]
        cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
        if answer is not None:  # the rest, after the last moment
            self._fold(probe.usage().rss_peak, traced)
        tracemalloc.stop()
        return Observation(answer, self.peak, self.traced_peak, cpu_s, wall_s, tuple(self.moments))

    def _walk(self, steps: Generator[Any, None, int]) -> int | None:
        while True:
            try:
                said = next(steps)
            except StopIteration as end:
                answer: int = end.value
                return answer
            traced = self._traced()  # first: noting it allocates
            own_bytes = count = -1
            if isinstance(said, tuple):
                said, thing = said
                if isinstance(thing, Count):
                    count = int(thing)
                else:
                    own_bytes = sys.getsizeof(thing)
                del thing  # the program alone decides how long it lives
            self._note(said, traced, own_bytes, count)
            if said == self.until:
                steps.close()
                return None

    def _note(self, name: str, traced: tuple[int, int], own_bytes: int, count: int) -> None:
        seen = probe.usage()
        self._fold(seen.rss_peak, traced[1])
        why = retained.retention() if self.parts else None
        self.moments.append(
            Moment(
                name=name,
                resident=seen.rss - self.start,
                peak=max(0, seen.rss_peak - self.last) if self.knows_peaks and seen.rss_peak >= 0 else -1,
                traced=max(0, traced[0] - self.base) if self.traced else -1,
                traced_peak=max(0, traced[1] - self.base) if self.traced else -1,
                live=why.live if why else -1,
                pinned=why.pinned if why else -1,
                kept=why.kept if why else -1,
                own_bytes=own_bytes,
                count=count,
            )
        )
        self.last = seen.rss
        probe.reset_peak_rss()
        if self.traced:
            tracemalloc.reset_peak()

    def _fold(self, rss_peak: int, traced_peak: int) -> None:
        if rss_peak >= 0:
            self.peak = max(self.peak, rss_peak - self.start, 0)
        if self.traced:
            self.traced_peak = max(self.traced_peak, traced_peak - self.base)

    def _traced(self) -> tuple[int, int]:
        return tracemalloc.get_traced_memory() if self.traced else (0, 0)
