"""Measure a piece of code by what the operating system saw of the process.

Covers:     a block, a function, an iterator; nested and overlapping measures; tracemalloc's top lines on request.
Not here:   claims about growth, which need fresh processes (`proof`); what the figures are (`meter.reading`).
Holds:      about 1 KiB for each open measure; one daemon thread that samples while any is open.

The high-water mark is one for the process. A measure that starts resets it, and first folds it into every measure that
is open; so each knows the peak of its own time.
"""

from __future__ import annotations

import contextlib
import functools
import gc as collector_module
import inspect
import operator
import os
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Iterator
from types import FrameType
from typing import Any, Self, TypeVar, final, overload

from flatwater import errors, limits
from flatwater.meter import allocators, collector, probe, traced
from flatwater.meter.reading import Reading

Item = TypeVar("Item")
Function = TypeVar("Function", bound=Callable[..., Any])

_SUSPENDS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


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
        python: also ask tracemalloc which lines hold the growth (7 to 18 times the processor time). It sees only what
            Python allocated since tracing began, no native memory; its own memory is in `retained` and in the peaks.

    Raises:
        UsageError: the name is empty.
        LimitReached: `limits.MEASURES_MAX` are open already.
        BrokenError: at the start, nothing can be read of this process. The end never raises: the reading has a doubt.

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
        self._open: list[_Window] = []  # one object may be entered again while open: by recursion, threads, tasks

    def __enter__(self) -> Reading:
        window = _Window(self.name, gc=self._gc, python=self._python)
        window.key = _key_of(sys._getframe(1))  # noqa: SLF001 - the one way to know who enters
        window.start()
        self._open.append(window)
        self.reading = window.reading
        return window.reading

    def __exit__(self, *_: object) -> None:
        self.reading = self._pop(sys._getframe(1)).stop()  # noqa: SLF001 - the one way to know who leaves

    def _pop(self, frame: FrameType) -> _Window:
        """The innermost window of who leaves: of this very coroutine or generator, else of this thread and task."""
        for caller in (frame, None):  # an AsyncExitStack enters from a function, and leaves from a coroutine
            key = _key_of(caller)
            for window in reversed(self._open):
                if window.key == key:
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
        with self:
            yield from items

    def _over_async(self, items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        return _relaying(lambda: self, lambda _: None, lambda: items)()


def _key_of(frame: FrameType | None) -> tuple[int, int]:
    """Who enters a measure: a coroutine or generator itself, as many share a thread; for functions the thread and task."""
    if frame is not None and frame.f_code.co_flags & _SUSPENDS:
        return 0, id(frame)  # it lives as long as its `with`
    asyncio = sys.modules.get("asyncio")
    try:
        task = asyncio.current_task() if asyncio is not None else None
    except (AttributeError, RuntimeError):  # being imported; no loop runs in this thread
        task = None
    return threading.get_ident(), 0 if task is None else id(task)


def _decorated(measured: measure, function: Callable[..., Any]) -> Callable[..., Any]:
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

    call: Callable[..., Any] = sync_call
    kinds = (function, getattr(type(function), "__call__", None))  # noqa: B004 - an object's is asked of its type
    if any(map(inspect.iscoroutinefunction, kinds)):
        call = async_call
    elif any(map(inspect.isgeneratorfunction, kinds)):
        call = generate
    elif any(map(inspect.isasyncgenfunction, kinds)):
        call = _relaying(fresh, note, function)
    call = functools.wraps(function)(call)
    call.readings = readings  # type: ignore[attr-defined]  # documented on `measure`
    return call


def _relaying(
    measured: Callable[[], measure], note: Callable[[Reading], None], inner: Callable[..., AsyncIterator[Any]]
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """An asynchronous generator function that measures `inner`; what is sent, thrown and closed goes to the one inside."""

    async def generate_async(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        with measured() as reading:
            note(reading)
            items = inner(*args, **kwargs)
            if not inspect.isasyncgen(items):
                async for item in items:
                    yield item
                return
            try:  # what `yield from` does, which there is not for these
                item = await anext(items)
                while True:
                    try:
                        sent = yield item
                    except GeneratorExit:
                        raise  # closed below
                    except BaseException as error:  # noqa: BLE001 - whatever was thrown in is for the one inside
                        item = await items.athrow(error)
                    else:
                        item = await items.asend(sent)
            except StopAsyncIteration:
                return
            finally:
                await items.aclose()

    return generate_async


_FORKED = "the process was forked inside the measure: the peak before that is sampled only, the processor time is the child's own"


@final
class _Window:
    """The time between the start and the end of one measure."""

    def __init__(self, name: str, *, gc: bool, python: bool) -> None:
        self.reading = Reading(name)
        self.thread = threading.get_ident()
        self.key = (0, 0)  # who entered it
        self.rss_peak = 0  # folded from the high-water mark
        self.anon_peak = 0  # sampled
        self.rss_sampled = 0
        self._gc = gc
        self._python = python
        self._resets = False  # whether the high-water mark is this one's
        self._is_exact = True
        self._traced: traced.Moment | None = None
        self._leave: list[Callable[[], None]] = []  # what is to be undone, however it ends

    def start(self) -> Self:
        if self._gc:
            collector_module.collect()
        arenas, malloc = allocators.arenas(), allocators.malloc()  # the arenas cannot be read while Python traces
        self._arenas = arenas.held
        self.reading.reusable_bytes = allocators.sum_known(arenas.free, malloc.free)
        self._resets = _registry.open(self)
        try:
            _registry.sample()
            if self._python:
                traced.begin()
                self._leave.append(traced.end)
                self._traced = traced.now()
            self._rss, self._anon = _registry.sizes()
        except BaseException:
            _registry.close(self)
            self._undo()
            raise
        self._leave.append(collector.stop_listening)
        collector.listen()
        self._blocks = sys.getallocatedblocks()
        self.rss_sampled, self.anon_peak = max(self.rss_sampled, self._rss), max(self.anon_peak, self._anon)
        self._counts, self._pauses = collector.seen()
        self._cpu_s, self._wall_s = time.process_time(), time.perf_counter()
        return self

    def stop(self) -> Reading:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        counts, pauses = collector.seen()
        seen = _registry.close(self)
        try:
            reading = self.reading
            self._is_exact &= self._resets and seen.rss_peak >= 0
            reading.doubt = reading.doubt or seen.doubt
            if self._gc:
                collector_module.collect()
                seen = _registry.seen()
            blocks = sys.getallocatedblocks()
            reading.wall_s = wall_s - self._wall_s
            reading.cpu_s = cpu_s - self._cpu_s
            reading.gc_collections = tuple(map(operator.sub, counts, self._counts))
            reading.gc_pause_s = tuple(map(operator.sub, pauses, self._pauses))
            reading.python_blocks = blocks - self._blocks
            self._fill_sizes(seen)
            reading.done = True
            return reading
        finally:
            self._undo()

    def _fill_sizes(self, seen: probe.Usage) -> None:
        reading = self.reading
        reading.doubt = reading.doubt or seen.doubt
        reading.probe = seen.probe
        reading.peak_kind = "exact" if self._is_exact else "sampled"
        reading.peak_rss = max(self.rss_peak, self.rss_sampled) if self._resets else self.rss_sampled
        reading.peak_anon = self.anon_peak
        reading.delta = max(0, reading.peak_rss - self._rss)
        reading.rss_anon, reading.rss_file, reading.swap = seen.anon, seen.file, seen.swap
        now = seen.anon if seen.anon >= 0 else seen.rss
        reading.retained = now - self._anon if now >= 0 else 0
        if not self._resets and not reading.doubt:
            reading.doubt = "the high-water mark cannot be reset here, so a spike between two samples is missed"
        reading.external = reading.retained
        if self._traced is not None:
            growth = traced.since(self._traced)
            reading.top, reading.python_peak = growth.top, growth.peak
            reading.external -= growth.bytes + growth.tracer
            reading.doubt = reading.doubt or growth.doubt
        elif reading.retained and self._arenas >= 0:  # reading them costs 40 us and more: not for a part of nothing
            held = allocators.arenas().held
            reading.external -= held - self._arenas if held >= 0 else 0  # unknown once somebody traces

    def forked(self) -> None:
        """In the child: the mark and the processor's clock have started over."""
        self.reading.doubt = _FORKED
        self._is_exact = False
        self._cpu_s = 0.0

    def _undo(self) -> None:
        while self._leave:
            self._leave.pop()()


@final
class _Registry:
    """The measures that are open in this process, and the thread that samples for them.

    A measure may end inside any function here, in the same thread; see `collector.lock`. So `_open` changes in one step
    each time, and is never gone through itself, but in a copy made by `list`: no collection can come inside that.
    """

    def __init__(self) -> None:
        self._open: list[_Window] = []
        self._probe: probe.Probe | None = None
        self._sampler: threading.Thread | None = None

    def sizes(self) -> tuple[int, int]:
        """`(rss, anon)` now.

        Raises:
            BrokenError: no descriptor is left for it.
        """
        found = self._probe
        if found is None:
            found = self._probe = probe.Probe()
        try:
            sizes = found.read()
        except (OSError, ValueError, errors.ClosedError):
            sizes = 0, 0
        if sizes[0]:
            return sizes
        # Somebody closed all descriptors, as programs do that become daemons; the number may be another file's by now.
        found.disown()
        self._probe = None
        found = self._probe = probe.Probe()
        return found.read()

    def seen(self) -> probe.Usage:
        """All that can be read now: if need be, what the kept descriptor tells, with a doubt."""
        try:
            return probe.usage()
        except errors.BrokenError as error:
            doubt = f"the sizes could not be read in full, {error}"
        rss = anon = -1
        with contextlib.suppress(OSError, errors.FlatwaterError):
            rss, anon = self.sizes()
        file = rss - anon if rss >= 0 else -1
        return probe.Usage(rss, anon, file, -1, -1, rss_peak=-1, data=-1, probe="/proc/PID/statm", doubt=doubt)

    def open(self, window: _Window) -> bool:
        """Enter it; True if the high-water mark is its own from here on."""
        with collector.lock:
            others = list(self._open)
            if len(others) >= limits.MEASURES_MAX:
                raise errors.LimitReached(
                    f"{limits.MEASURES_MAX} measures are open.",
                    what="MEASURES_MAX", limit=limits.MEASURES_MAX,
                    hint="Leave each `with fw.measure(...)`, and exhaust or close measured iterators.",
                )  # fmt: skip
            resets = True
            if others:
                rss_peak = self.seen().rss_peak
                resets = rss_peak >= 0  # or the peak of the others would be lost
                _fold(others, rss_peak)
                for other in others:
                    if other.thread != window.thread:
                        other.reading.overlapped = window.reading.overlapped = True
            resets = resets and probe.reset_peak_rss()
            self._open.append(window)
            return resets

    def close(self, window: _Window) -> probe.Usage:
        """Take it out; what the operating system says at that moment."""
        with collector.lock:
            others = list(self._open)
            if window in others:  # not in the child of a fork
                self._open.remove(window)
                # Whatever began later and is still open was not nested in this one.
                for other in others[others.index(window) + 1 :]:
                    other.reading.overlapped = window.reading.overlapped = True
            else:
                others.append(window)
            seen = self.seen()
            _fold(others, seen.rss_peak, seen.rss, seen.anon)
            return seen

    def sample(self) -> None:
        """Have the thread run. After `open`: one that is about to end sees that measure, or has ended."""
        if self._sampler is not None:
            return
        with collector.lock:
            if self._sampler is not None:
                return
            thread = self._sampler = threading.Thread(target=self._sample, name="flatwater-measure", daemon=True)
        try:
            thread.start()  # without the lock: a collection in the new thread may end a measure before it has started
        except BaseException:
            self._sampler = None
            raise

    def _sample(self) -> None:
        """The thread: while anything is open, and a little longer, for the next one."""
        idle_until = time.monotonic() + limits.SAMPLER_LINGER_S
        pause = threading.Event()
        while True:
            if self._open:
                idle_until = time.monotonic() + limits.SAMPLER_LINGER_S
                with contextlib.suppress(Exception):  # one sample is missing; if it is for good, the end tells why
                    with collector.lock:
                        windows = list(self._open)  # one that is opened now was not there for what is seen now
                    rss, anon = self.sizes()
                    with collector.lock:
                        _fold(windows, 0, rss, anon)
            elif time.monotonic() > idle_until:
                with collector.lock:
                    if not self._open:
                        self._sampler = None
                        return
            pause.wait(limits.SAMPLE_PERIOD_S)

    def forget(self) -> None:
        """In the child of a fork: its parent's measures, thread and descriptor are not its own."""
        for window in self._open:
            window.forked()
        self._open = []
        self._probe = None
        self._sampler = None
        collector.forget()


def _fold(windows: list[_Window], rss_peak: int, rss: int = 0, anon: int = 0) -> None:
    for window in windows:
        window.rss_peak = max(window.rss_peak, rss_peak)
        window.rss_sampled = max(window.rss_sampled, rss)
        window.anon_peak = max(window.anon_peak, anon)


_registry = _Registry()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_registry.forget)
