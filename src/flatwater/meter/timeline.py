"""A bounded history of memory over time: it halves its resolution when full, and never grows.

Covers:     samples fed by anybody (`add`), or taken of a process by a thread of its own (`with Timeline()`).
Not here:   what the curve looks like (`meter.pattern`), when it will cross a limit (`watch.forecast`).
Holds:      `points_max` points; see `Timeline.bytes_max`.

A point is the time between two samples. Merging two neighbours keeps the highest and the lowest value of both, so a peak
is never averaged away and a sawtooth stays a sawtooth, however long the history gets.
"""

from __future__ import annotations

import sys
import threading
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import index
from typing import TYPE_CHECKING, final

from flatwater import errors, limits

if TYPE_CHECKING:
    from flatwater.meter.pattern import Pattern
    from flatwater.meter.probe import Probe

_POINTS_LEAST, _POINTS_MOST = 16, 1 << 20  # of `points_max`; the most take 46 MiB
_BYTES_END = 1 << 63  # what the columns have room for
_SLICE_S = 0.05  # of a longer pause: how late `stop` is heard at most


@dataclass(frozen=True, slots=True)
class Point:
    """What was seen in one stretch of time; bytes.

    Attributes:
        t_s: end of the stretch, in seconds since the history began.
        rss_max: highest resident size.
        anon_max: highest anonymous size.
        anon_min: lowest anonymous size.
    """

    t_s: float
    rss_max: int
    anon_max: int
    anon_min: int


@final
class Timeline:
    """A history of fixed size.

    As a context manager it samples the calling process every `period_s` from a daemon thread (one pread of about 1.2 us
    a sample). Adding, reading and sampling are thread-safe.

    Args:
        points_max: points kept; an even number of at least 16. 32 bytes each.
        period_s: seconds between samples of the thread.
        probe: the process to sample; the calling one by default.

    Raises:
        UsageError: a bound that cannot work.

    >>> line = Timeline(points_max=16)
    >>> for second in range(100):
    ...     line.add(float(second), rss=second, anon=second)
    >>> len(line) <= 16, line.samples, line.peak_rss, max(point.rss_max for point in line)
    (True, 100, 99, 99)
    """

    def __init__(
        self,
        *,
        points_max: int = limits.TIMELINE_POINTS_MAX,
        period_s: float = limits.SAMPLE_PERIOD_S,
        probe: Probe | None = None,
    ) -> None:
        is_count = isinstance(points_max, int) and not isinstance(points_max, bool)
        if not is_count or not _POINTS_LEAST <= points_max <= _POINTS_MOST or points_max % 2:
            raise errors.UsageError(
                f"points_max={points_max!r} is not possible.",
                hint=f"Pass an even number from {_POINTS_LEAST} to {_POINTS_MOST}.",
            )
        is_time = isinstance(period_s, (int, float)) and not isinstance(period_s, bool)
        if not is_time or not limits.SAMPLE_PERIOD_S_MIN <= period_s <= limits.SAMPLE_PERIOD_S_MAX:  # NaN fails it too
            raise errors.UsageError(
                f"period_s={period_s!r} is not possible.",
                hint=f"Pass a number of seconds from {limits.SAMPLE_PERIOD_S_MIN} to {limits.SAMPLE_PERIOD_S_MAX}.",
            )
        self.points_max = points_max
        self.period_s = period_s
        self._samples = 0
        self._peak_rss = 0
        self._peak_anon = 0
        # Samples not merged in yet. Merging one costs four times what keeping it does when the processor's caches are
        # cold, as they are every 10 ms: so they are merged in batches, and before anybody reads.
        self._fresh: deque[tuple[float, int, int]] = deque()
        self._unread: deque[tuple[float, bytes]] = deque()  # the same, as the operating system wrote them
        self._stride = 1  # samples merged into one point
        self._pending = 0  # samples already merged into the last point
        self._t = array("d")
        self._rss = array("q")
        self._anon = array("q")
        self._low = array("q")
        self._lock = threading.Lock()
        self._probe = probe
        self._stopped = False
        self._thread: threading.Thread | None = None

    def bytes_max(self) -> int:
        """The most this history can hold at once, in bytes."""
        total = 0
        total += self.points_max * 8  # times
        total += self.points_max * 8  # highest resident sizes
        total += self.points_max * 8  # highest anonymous sizes
        total += self.points_max * 8  # lowest anonymous sizes
        total += self.points_max * 12  # three halves of one column, while neighbours are merged
        total += self.points_max * 2  # arrays grow in steps
        total += limits.TIMELINE_FRESH_MAX * 192  # samples not merged in yet
        return total

    @property
    def samples(self) -> int:
        """How many were taken in."""
        self._merge_fresh()
        return self._samples

    @property
    def peak_rss(self) -> int:
        """The highest resident size of all samples, bytes."""
        self._merge_fresh()
        return self._peak_rss

    @property
    def peak_anon(self) -> int:
        """The highest anonymous size of all samples, bytes."""
        self._merge_fresh()
        return self._peak_anon

    def add(self, t_s: float, rss: int, anon: int) -> None:
        """Take one sample in.

        Args:
            t_s: seconds since the history began; not before the last sample's.
            rss: resident bytes.
            anon: anonymous bytes; where the platform cannot tell, pass `rss`.

        Raises:
            UsageError: one of them is no number, or has no room in 64 bits; the history stays as it was.
        """
        try:
            sample = (float(t_s), index(rss), index(anon))
        except (TypeError, ValueError, OverflowError):
            sample = (0.0, _BYTES_END, _BYTES_END)
        if abs(sample[1]) >= _BYTES_END or abs(sample[2]) >= _BYTES_END:
            raise errors.UsageError(
                f"t_s={t_s!r}, rss={rss!r}, anon={anon!r} is no sample.",
                hint="Pass seconds, and whole bytes below 2**63.",
            )
        fresh = self._fresh
        fresh.append(sample)
        if len(fresh) >= limits.TIMELINE_FRESH_MAX:
            self._merge_fresh()

    def _merge_fresh(self) -> None:
        with self._lock:
            unread, fresh = self._unread, self._fresh
            while unread:
                from flatwater.meter.probe import sizes_in

                t_s, text = unread.popleft()
                self._merge(t_s, *sizes_in(text))
            while fresh:
                self._merge(*fresh.popleft())

    def _merge(self, t_s: float, rss: int, anon: int) -> None:
        self._samples += 1
        self._peak_rss = max(self._peak_rss, rss)
        self._peak_anon = max(self._peak_anon, anon)
        if self._pending and self._t:
            self._t[-1] = t_s
            self._rss[-1] = max(self._rss[-1], rss)
            self._anon[-1] = max(self._anon[-1], anon)
            self._low[-1] = min(self._low[-1], anon)
        else:
            if len(self._t) == self.points_max:
                self._halve()
            self._t.append(t_s)
            self._rss.append(rss)
            self._anon.append(anon)
            self._low.append(anon)
        self._pending = (self._pending + 1) % self._stride

    def _halve(self) -> None:
        """Merge neighbours, so that half of the points are free again."""
        self._t = self._t[1::2]
        self._rss = array("q", map(max, self._rss[::2], self._rss[1::2]))
        self._anon = array("q", map(max, self._anon[::2], self._anon[1::2]))
        self._low = array("q", map(min, self._low[::2], self._low[1::2]))
        self._stride *= 2

    def __len__(self) -> int:
        self._merge_fresh()
        return len(self._t)

    def __iter__(self) -> Iterator[Point]:
        return iter(self.points())

    def points(self) -> list[Point]:
        """The points so far, oldest first: at most `points_max`."""
        self._merge_fresh()
        with self._lock:
            return list(map(Point, self._t, self._rss, self._anon, self._low))

    @property
    def resolution_s(self) -> float:
        """Seconds that one point stands for, on average; 0 before the second sample."""
        self._merge_fresh()
        with self._lock:
            return (self._t[-1] - self._t[0]) / (len(self._t) - 1) if len(self._t) > 1 else 0.0

    @property
    def pattern(self) -> Pattern:
        """The shape of the history so far, in words."""
        from flatwater.meter.pattern import pattern_of

        return pattern_of(self.points())

    def to_dict(self) -> dict[str, object]:
        """Columns for JSON: `t_s`, `rss`, `anon`, `anon_low`, and the figures over all samples."""
        self._merge_fresh()
        with self._lock:
            return {
                "samples": self._samples,
                "peak_rss_bytes": self._peak_rss,
                "peak_anon_bytes": self._peak_anon,
                "t_s": [round(t, 4) for t in self._t],
                "rss": self._rss.tolist(),
                "anon": self._anon.tolist(),
                "anon_low": self._low.tolist(),
            }

    def start(self, on_sample: Callable[[float, int, int], None] | None = None) -> None:
        """Sample from a daemon thread until `stop`, or until the owner of the probe closes it.

        Args:
            on_sample: called in that thread with `(t_s, rss, anon)` after each sample; it must not block.

        Raises:
            ClosedError: it was started before; a history is of one stretch of time.
        """
        if self._thread is not None:
            raise errors.ClosedError("this timeline was started already.", hint="Make a new one.")
        from flatwater.meter.probe import Probe

        probe = self._probe or Probe()
        self._stopped = False  # there was nothing to stop before
        self._thread = threading.Thread(target=self._sample, args=(probe, on_sample), name="flatwater-timeline")
        self._thread.daemon = True
        self._thread.start()

    def _sample(self, probe: Probe, on_sample: Callable[[float, int, int], None] | None) -> None:
        monotonic = time.monotonic
        begin = due = monotonic()
        is_lean = on_sample is None and sys.platform == "linux"
        unread, keep = self._unread, self._unread.append
        read_raw = probe.raw_reader() if is_lean else bytes
        while not self._stopped:
            if is_lean:
                text, now = read_raw(), monotonic()
                if not text and probe.closed:
                    return
                keep((now - begin, text))
                if len(unread) >= limits.TIMELINE_FRESH_MAX:
                    self._merge_fresh()
            else:
                try:
                    (rss, anon), now = probe.read(), monotonic()
                except (OSError, errors.ClosedError):
                    if probe.closed:
                        return
                    raise
                self.add(now - begin, rss, anon)
                if on_sample is not None:
                    on_sample(now - begin, rss, anon)
            # Late samples are dropped, not caught up with: a stalled process must not be sampled in a burst.
            due = max(due + self.period_s, now)
            if due - now <= _SLICE_S:
                time.sleep(due - now)  # the cheapest way to wait there is
            else:
                self._pause(due)

    def _pause(self, due: float) -> None:
        """Sleep in slices, so that `stop` is heard."""
        while not self._stopped and (left := due - time.monotonic()) > 0:
            time.sleep(min(left, _SLICE_S))

    def stop(self) -> None:
        """End the sampling; the history stays readable. Stopping twice, or before `start`, is fine."""
        self._stopped = True
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def __enter__(self) -> Timeline:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
