"""Measure a piece of code by what the operating system saw of the process.

Covers:     a block, a function, an iterator; nested and overlapping measures; tracemalloc's top lines on request.
Not here:   claims about growth, which need fresh processes (`proof`); what the figures are (`meter.reading`).
Holds:      about 1 KiB for each open measure; one daemon thread that samples while any is open.

The high-water mark is one for the process. A measure that starts resets it, and first folds it into every measure that
is open; so each knows the peak of its own time.
"""

from __future__ import annotations

import functools
import gc as collector_module
import inspect
import os
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from typing import Any, Self, TypeVar, final, overload

from flatwater import errors, limits
from flatwater.meter import allocators, collector, probe, traced
from flatwater.meter.reading import Reading

Item = TypeVar("Item")
Function = TypeVar("Function", bound=Callable[..., Any])


@final
class measure:  # noqa: N801 - reads as a verb: with fw.measure("load")
    """Measure what the process does meanwhile: memory as the operating system saw it, processor, clock, collector pauses.

    Around a block, as a decorator of functions, coroutines and generators, or around an iterable:

        with fw.measure("load") as reading: ...
        @fw.measure("load")
        for row in fw.measure("scan")(rows): ...

    The reading is filled in when the block ends, also when it raises. `.reading` is the last one; of a decorated function
    `function.readings` keeps the last 100. Thread-safe. Memory is the whole process's: measures in other threads are
    included, and flagged. For a claim about growth use a fresh process: memory freed before, and reused, does not show.

    Args:
        name: shows in the table.
        gc: collect at the start and the end, outside the measured time, so that garbage is not taken for growth. Without
            it a measure costs at most 200 us in a small process.
        python: also ask tracemalloc which lines hold the growth (7 to 18 times the processor time; native memory is not seen).

    Raises:
        UsageError: the name is empty.
        LimitReached: `limits.MEASURES_MAX` are open already.

    >>> with measure("list") as reading:
    ...     rows = [str(number) for number in range(200_000)]
    >>> reading.peak_rss >= reading.rss_anon > 0 and reading.python_blocks > 150_000
    True
    """

    def __init__(self, name: str, *, gc: bool = True, python: bool = False) -> None:
        if not isinstance(name, str) or not name:
            raise errors.UsageError(f"{name!r} names no measure.", hint="Write fw.measure('load').")
        self.name = name
        self.reading = Reading(name)
        self._gc = gc
        self._python = python
        self._open: list[_Window] = []  # one object may be entered again while it is open: by recursion, by threads

    def __enter__(self) -> Reading:
        window = _Window(self.name, gc=self._gc, python=self._python)
        self._open.append(window)
        window.start()
        self.reading = window.reading
        return window.reading

    def __exit__(self, *_: object) -> None:
        self.reading = self._pop().stop()

    def _pop(self) -> _Window:
        """The innermost window of the calling thread."""
        me = threading.get_ident()
        for window in reversed(self._open):
            if window.thread == me:
                self._open.remove(window)
                return window
        return self._open.pop()

    @overload
    def __call__(self, subject: Function) -> Function: ...
    @overload
    def __call__(self, subject: Iterable[Item]) -> Iterator[Item]: ...

    def __call__(self, subject: Any) -> Any:
        """Decorate a function, or measure an iterable from its first item to its last."""
        if callable(subject):
            return _decorated(self, subject)
        if hasattr(subject, "__aiter__"):
            return self._over_async(subject)
        if hasattr(subject, "__iter__"):
            return self._over(subject)
        raise errors.UsageError(
            f"{type(subject).__name__} is neither a function nor an iterable.",
            hint="Use `with fw.measure(name):` around a block.",
        )

    def _over(self, items: Iterable[Item]) -> Iterator[Item]:
        window = _Window(self.name, gc=self._gc, python=self._python)
        window.start()
        self.reading = window.reading
        try:
            yield from items
        finally:
            self.reading = window.stop()

    async def _over_async(self, items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        window = _Window(self.name, gc=self._gc, python=self._python)
        window.start()
        self.reading = window.reading
        try:
            async for item in items:
                yield item
        finally:
            self.reading = window.stop()


def _decorated(measured: measure, function: Callable[..., Any]) -> Callable[..., Any]:  # noqa: C901 - one table of four
    """A function whose every call is a measure of its own."""
    readings: deque[Reading] = deque(maxlen=limits.READINGS_KEPT_MAX)

    def fresh() -> measure:
        return measure(measured.name, gc=measured._gc, python=measured._python)  # noqa: SLF001 - its own kind

    def note(reading: Reading) -> None:
        readings.append(reading)
        measured.reading = reading

    def sync_call(*args: Any, **kwargs: Any) -> Any:
        with fresh() as reading:
            note(reading)
            return function(*args, **kwargs)

    async def async_call(*args: Any, **kwargs: Any) -> Any:
        with fresh() as reading:
            note(reading)
            return await function(*args, **kwargs)

    def generate(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with fresh() as reading:
            note(reading)
            return (yield from function(*args, **kwargs))

    async def generate_async(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        with fresh() as reading:
            note(reading)
            async for item in function(*args, **kwargs):
                yield item

    call: Callable[..., Any] = sync_call
    if inspect.iscoroutinefunction(function):
        call = async_call
    elif inspect.isgeneratorfunction(function):
        call = generate
    elif inspect.isasyncgenfunction(function):
        call = generate_async
    call = functools.wraps(function)(call)
    call.readings = readings  # type: ignore[attr-defined]  # documented on `measure`
    return call


@final
class _Window:
    """The time between the start and the end of one measure."""

    def __init__(self, name: str, *, gc: bool, python: bool) -> None:
        self.reading = Reading(name)
        self.thread = threading.get_ident()
        self.rss_peak = 0  # folded from the high-water mark
        self.anon_peak = 0  # sampled
        self.rss_sampled = 0
        self._gc = gc
        self._python = python

    def start(self) -> Self:
        if self._gc:
            collector_module.collect()
        self._resets = _registry.open(self)
        if self._python:
            traced.begin()
        collector.listen()
        arenas, malloc = allocators.arenas(), allocators.malloc()
        self._arenas = arenas.held
        self.reading.reusable_bytes = allocators.sum_known(arenas.free, malloc.free)
        self._traced = traced.now() if self._python else None
        self._blocks = sys.getallocatedblocks()
        self._rss, self._anon = _registry.sizes()
        self.rss_sampled, self.anon_peak = self._rss, self._anon
        self._counts, self._pauses = collector.seen()
        self._cpu_s, self._wall_s = time.process_time(), time.perf_counter()
        return self

    def stop(self) -> Reading:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        counts, pauses = collector.seen()
        collector.stop_listening()
        _, anon = _registry.sizes()
        self.anon_peak = max(self.anon_peak, anon)
        seen = _registry.close(self)
        reading = self.reading
        if self._gc:
            collector_module.collect()
            seen = probe.usage()
        blocks = sys.getallocatedblocks()
        reading.wall_s = wall_s - self._wall_s
        reading.cpu_s = cpu_s - self._cpu_s
        reading.gc_collections = tuple(after - before for after, before in zip(counts, self._counts, strict=True))
        reading.gc_pause_s = tuple(after - before for after, before in zip(pauses, self._pauses, strict=True))
        reading.peak_kind = "exact" if self._resets else "sampled"
        reading.peak_rss = self.rss_peak if self._resets else self.rss_sampled
        reading.peak_anon = self.anon_peak
        reading.delta = max(0, reading.peak_rss - self._rss)
        reading.rss_anon, reading.rss_file, reading.swap = seen.anon, seen.file, seen.swap
        now = seen.anon if seen.anon >= 0 else seen.rss
        reading.retained = now - self._anon
        if reading.retained and self._arenas >= 0:  # reading the arenas costs 40 us and more: not for a part of nothing
            reading.external = reading.retained - (allocators.arenas().held - self._arenas)
        else:
            reading.external = reading.retained
        reading.python_blocks = blocks - self._blocks
        reading.probe, reading.doubt = seen.probe, seen.doubt
        if not self._resets and not reading.doubt:
            reading.doubt = "the high-water mark cannot be reset here, so a spike between two samples is missed"
        if self._traced is not None:
            growth = traced.since(self._traced)
            reading.top, reading.python_peak = growth.top, growth.peak
            reading.external = reading.retained - growth.bytes
            traced.end()
        reading.done = True
        return reading


@final
class _Registry:
    """The measures that are open in this process, and the thread that samples for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[_Window] = []
        self._probe: probe.Probe | None = None
        self._sampler: threading.Thread | None = None

    def sizes(self) -> tuple[int, int]:
        """`(rss, anon)` now."""
        found = self._probe
        if found is None:
            found = self._probe = probe.Probe()
        return found.read()

    def open(self, window: _Window) -> bool:
        """Enter it; True if the high-water mark is its own from here on."""
        with self._lock:
            if len(self._open) >= limits.MEASURES_MAX:
                raise errors.LimitReached(
                    f"{limits.MEASURES_MAX} measures are open.",
                    what="MEASURES_MAX", limit=limits.MEASURES_MAX,
                    hint="Leave each `with fw.measure(...)`, and exhaust or close measured iterators.",
                )  # fmt: skip
            if self._open:
                self._fold(probe.peak_rss())
                for other in self._open:
                    if other.thread != window.thread:
                        other.reading.overlapped = window.reading.overlapped = True
            if self._sampler is None or not self._sampler.is_alive():
                self._sampler = threading.Thread(target=self._sample, name="flatwater-measure", daemon=True)
                self._sampler.start()
            self._open.append(window)
            return probe.reset_peak_rss()

    def close(self, window: _Window) -> probe.Usage:
        """Take it out; what the operating system says at that moment."""
        with self._lock:
            seen = probe.usage()
            self._fold(seen.rss_peak)
            self._fold_sample(seen.rss, seen.anon)
            if window in self._open:
                index = self._open.index(window)
                # Whatever began later and is still open was not nested in this one.
                for other in self._open[index + 1 :]:
                    other.reading.overlapped = window.reading.overlapped = True
                del self._open[index]
            return seen

    def _fold(self, rss_peak: int) -> None:
        for window in self._open:
            window.rss_peak = max(window.rss_peak, rss_peak)

    def _fold_sample(self, rss: int, anon: int) -> None:
        for window in self._open:
            window.rss_sampled = max(window.rss_sampled, rss)
            window.anon_peak = max(window.anon_peak, anon)

    def _sample(self) -> None:
        """The thread: while anything is open, and a little longer, for the next one."""
        idle_until = time.monotonic() + limits.SAMPLER_LINGER_S
        pause = threading.Event()
        while True:
            if self._open:
                idle_until = time.monotonic() + limits.SAMPLER_LINGER_S
                rss, anon = self.sizes()
                with self._lock:
                    self._fold_sample(rss, anon)
            elif time.monotonic() > idle_until:
                with self._lock:
                    if not self._open:
                        self._sampler = None
                        return
            pause.wait(limits.SAMPLE_PERIOD_S)

    def forget(self) -> None:
        """In the child of a fork: its parent's measures, thread and descriptor are not its own."""
        self._lock = threading.Lock()
        self._open = []
        self._probe = None
        self._sampler = None


_registry = _Registry()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_registry.forget)
