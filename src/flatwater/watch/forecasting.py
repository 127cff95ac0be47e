"""When a budget will be spent, if memory goes on growing as it does: one figure, and a bound on it.

Covers:     a history of points and a number of bytes; growth under teeth, plateaus, hockey sticks and spikes told apart.
Not here:   the curve's name (`meter.pattern`), the N at which a program dies (a proof's question), acting on it (`watch.Watcher`).
Holds:      `POINTS_FITTED_MAX` fitted points and half their square in slopes: about 70 KiB while it computes.

What grows is the envelope, the highest value so far: a sawtooth's is flat after its first tooth, a plateau's after its
climb. The slope is the median over all pairs of points (Theil 1950, Sen 1968), so that a step or a spike moves it little.
The bound is where nine in ten slopes lie of the pairs at least a third of the window apart: it says how steadily memory
grew, not what the program will do next.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flatwater import errors, limits, units
from flatwater.meter.timeline import Point

Metric = Literal["anon", "rss"]

POINTS_MIN = 16  # fewer show no growth, only a step
POINTS_FITTED_MAX = 64
POINTS_SCANNED_MAX = 256  # for teeth
NOISE_BYTES = 512 * units.KIB  # an idle interpreter moves about this much
NOISE_SHARE = 0.01  # of the highest value
BEND_SHARE = 0.10  # of a climb: before it, the climb had not begun
TOOTH_SHARE = 0.30  # of the range: smaller dips are noise
TOOTH_OUTGROWN = 1.5  # a climb this many times as long or as high as any earlier tooth is more than a tooth
SLOPE_QUANTILE = 0.05  # cut off at both ends


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the budget is spent, counted from now.

    Attributes:
        seconds: the central figure; infinite without growth, 0 when already spent.
        seconds_low: at the steepest slope of the bound.
        seconds_high: at the flattest slope of the bound; may be infinite.
        growth_bytes_per_s: the median slope; 0 without growth.
        words: a sentence for people.
    """

    seconds: float
    seconds_low: float
    seconds_high: float
    growth_bytes_per_s: float
    words: str

    def __str__(self) -> str:
        return self.words

    @property
    def finite(self) -> bool:
        """Whether an end is in sight."""
        return math.isfinite(self.seconds)

    def to_dict(self) -> dict[str, object]:
        """For JSON: infinite seconds are None."""
        return {
            "seconds": _finite(self.seconds),
            "seconds_low": _finite(self.seconds_low),
            "seconds_high": _finite(self.seconds_high),
            "growth_bytes_per_s": round(self.growth_bytes_per_s),
            "words": self.words,
        }


def forecast(
    points: Sequence[Point], budget_bytes: int | str, *, now_s: float | None = None, metric: Metric = "anon"
) -> Forecast:
    """When `points` reach `budget_bytes`. Pure; O(points) time, about 5 ms of CPU for 2048 points.

    Args:
        points: a history, oldest first, as `Timeline.points()` gives it.
        budget_bytes: what may be held at most, in bytes.
        now_s: the moment to count from, on the clock of the points; the last point's by default.
        metric: "anon" or "rss", which of the two sizes the budget is about.

    Raises:
        UsageError: a budget that is no size, a metric that does not exist, a `now_s` that is no moment.

    >>> line = [Point(float(t), rss_max=t << 20, anon_max=t << 20, anon_min=t << 20) for t in range(100)]
    >>> print(forecast(line, "199 MiB"))
    at 1.0 MiB/s the budget of 199 MiB is spent in 100 s (100 s to 100 s)
    >>> print(forecast(line[:50] + [Point(float(t), 50 << 20, 50 << 20, 50 << 20) for t in range(50, 150)], "199 MiB"))
    no growth: the budget of 199 MiB lasts (now 50.0 MiB)
    """
    budget = errors.bytes_of(budget_bytes, what="budget", least=limits.BUDGET_BYTES_MIN)
    if metric not in {"anon", "rss"}:
        raise errors.UsageError(f"metric={metric!r}: it is 'anon' or 'rss'.")
    if now_s is not None and not math.isfinite(now_s):
        raise errors.UsageError(f"now_s={now_s!r} is no moment.", hint="Leave it out to count from the last point.")
    curve = _Curve.of(points, metric)
    if not curve.t:
        return lasts(f"no history yet: nothing is known of the budget of {_size(budget)}")
    current = curve.high[-1]
    if current >= budget:
        return spent(f"already spent: {_size(current)} of {_size(budget)}")
    if len(curve.t) < POINTS_MIN:
        return lasts(f"too short a history for the budget of {_size(budget)} (now {_size(current)})")

    endless = lasts(f"no growth: the budget of {_size(budget)} lasts (now {_size(current)})")
    window = curve.rise()
    if window is None:
        return endless
    low, slope, high = window.slopes()
    if slope <= 0:
        return endless
    top = window.high[-1]
    # A history that was above the budget before and came back starts over from where it is.
    left = budget - (top if top < budget else current)
    age_s = max(0.0, now_s - curve.t[-1]) if now_s is not None else 0.0
    central, soonest, latest = (max(0.0, _seconds(left, rate) - age_s) for rate in (slope, high, low))
    until = units.format_duration(latest) if math.isfinite(latest) else "never"
    words = (
        f"at {_size(slope)}/s the budget of {_size(budget)} is spent in {units.format_duration(central)} "
        f"({units.format_duration(soonest)} to {until})"
    )
    return Forecast(central, soonest, latest, slope, words)


def lasts(words: str) -> Forecast:
    """Of a budget whose end is not in sight.

    >>> lasts("no growth").finite
    False
    """
    return Forecast(math.inf, math.inf, math.inf, 0.0, words)


def spent(words: str, growth_bytes_per_s: float = 0.0) -> Forecast:
    """Of a budget that is gone already.

    >>> spent("the budget was spent after 3 s").seconds
    0.0
    """
    return Forecast(0.0, 0.0, 0.0, growth_bytes_per_s, words)


@dataclass(frozen=True, slots=True)
class _Curve:
    """Times, highs and lows of a stretch, in columns of one length."""

    t: list[float]
    high: list[int]
    low: list[int]

    @classmethod
    def of(cls, points: Sequence[Point], metric: Metric) -> _Curve:
        """The columns of `metric`; where it is not known (-1), of the resident size. Points out of order are left out."""
        curve = cls([], [], [])
        for point in points:
            if not math.isfinite(point.t_s) or (curve.t and point.t_s < curve.t[-1]):
                continue
            known = metric == "anon" and point.anon_max >= 0
            curve.t.append(point.t_s)
            curve.high.append(point.anon_max if known else point.rss_max)
            curve.low.append(point.anon_min if known else point.rss_max)
        return curve

    def rise(self) -> _Curve | None:
        """The newer half of the present rise of the envelope, or None if there is none beyond noise."""
        begin = self._begin()
        envelope = _Curve(self.t[begin:], list(itertools.accumulate(self.high[begin:], max)), self.low[begin:])
        bend = envelope.bend()
        half = envelope.t[bend] + (envelope.t[-1] - envelope.t[bend]) / 2
        # At least sixteen points: a step near the end is then in a minority of the pairs, and the median slope is 0.
        first = max(0, min(bisect.bisect_left(envelope.t, half), len(envelope.t) - POINTS_MIN))
        window = _Curve(envelope.t[first:], envelope.high[first:], envelope.low[first:])
        noise = max(NOISE_BYTES, NOISE_SHARE * envelope.high[-1])
        if len(window.t) < POINTS_MIN or window.high[-1] - window.high[0] < noise:
            return None
        return window

    def bend(self) -> int:
        """Where the last climb of an envelope begins: past a tenth of its rise."""
        base, top = self.high[0], self.high[-1]
        return max(0, bisect.bisect_left(self.high, base + BEND_SHARE * (top - base)) - 1)

    def _begin(self) -> int:
        """From where the envelope is taken: the last trough, if what came after it is more than one more tooth; else 0."""
        climbs, trough = self._climbs()
        if not climbs:
            return 0
        since = _Curve(self.t[trough:], list(itertools.accumulate(self.high[trough:], max)), [])
        seconds = since.t[-1] - since.t[since.bend()]
        height = since.high[-1] - since.high[0]
        longest, tallest = max(climb[0] for climb in climbs), max(climb[1] for climb in climbs)
        return trough if seconds > TOOTH_OUTGROWN * longest or height > TOOTH_OUTGROWN * tallest else 0

    def _climbs(self) -> tuple[list[tuple[float, int]], int]:
        """`(seconds, bytes)` of each climb that ended in a fall, and where the last trough is. O(points)."""
        depth = max(NOISE_BYTES, TOOTH_SHARE * (max(self.high) - min(self.low)))
        stride = -(-len(self.t) // POINTS_SCANNED_MAX)
        climbs: list[tuple[float, int]] = []
        trough = peak = 0  # indices
        falling = False
        for first in range(0, len(self.t), stride):
            highs, lows = self.high[first : first + stride], self.low[first : first + stride]
            highest, lowest = first + highs.index(max(highs)), first + lows.index(min(lows))
            if falling:
                if self.low[lowest] <= self.low[trough]:
                    trough = lowest
                if self.high[highest] - self.low[trough] >= depth and highest > trough:
                    falling, peak = False, highest
            elif self.high[highest] >= self.high[peak]:
                peak = highest
            if not falling and self.high[peak] - self.low[lowest] >= depth and lowest > peak:
                tops = list(itertools.accumulate(self.high[trough : peak + 1], max))
                climb = _Curve(self.t[trough : peak + 1], tops, [])
                climbs.append((climb.t[-1] - climb.t[climb.bend()], climb.high[-1] - climb.high[0]))
                falling, trough = True, lowest
        return climbs, trough if climbs else 0

    def slopes(self) -> tuple[float, float, float]:
        """Low, median and high slope in bytes per second; see the module's header."""
        count = min(len(self.t), POINTS_FITTED_MAX)
        picked = [round(step * (len(self.t) - 1) / (count - 1)) for step in range(count)]
        near: list[float] = []
        far: list[float] = []
        for number, earlier in enumerate(picked):
            for distance, later in enumerate(picked[number + 1 :], start=1):
                if self.t[later] > self.t[earlier]:
                    slope = (self.high[later] - self.high[earlier]) / (self.t[later] - self.t[earlier])
                    (far if distance >= count // 3 else near).append(slope)
        if not far:
            return 0.0, 0.0, 0.0
        median = sorted(near + far)[(len(near) + len(far)) // 2]
        far.sort()
        cut = int(SLOPE_QUANTILE * len(far))
        return min(far[cut], median), median, max(far[-1 - cut], median)


def _seconds(left: int, rate: float) -> float:
    return left / rate if rate > 0 else math.inf


def _finite(seconds: float) -> float | None:
    return round(seconds, 3) if math.isfinite(seconds) else None


def _size(count: float) -> str:
    return units.format_bytes(count)
