"""Name the shape of a memory curve: flat, sawtooth, plateau, linear or hockey stick.

Covers:     a history's shape, its growth per second, and a sentence that says both.
Not here:   growth with the size of the input (a claim of its own), forecasts (`watch.forecast`).
Holds:      the points it was given, and a few floats.

The shape is read off the highest value so far (the envelope): what share of its rise came in the last third of the time
tells linear (about a third) from plateau (almost nothing) and hockey stick (almost all). A sawtooth gives back what it
took at least twice, and its low marks do not climb; or it rises once, and gives it back for a third of its time or more.
"""

from __future__ import annotations

import bisect
import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from flatwater import units

if TYPE_CHECKING:
    from flatwater.meter.timeline import Point

PatternName = Literal["flat", "sawtooth", "plateau", "linear", "hockey stick", "undecided"]

POINTS_MIN = 8  # fewer samples show no shape
FLAT_BYTES = 8 * units.MIB  # less than this is what any program breathes
START_SHARE = 0.02  # of the time, in which a program starts ...
START_BYTES_MAX = 32 * units.MIB  # ... and up to this much is its interpreter and imports, not a plateau
FLAT_SHARE = 0.10  # of the peak
PLATEAU_LATE_SHARE = 0.10  # of the rise, in the last third of the time
STICK_LATE_SHARE = 0.70  # of the rise, in the last third of the time
TOP_SHARE = 0.98  # of the rise: from here on it is at its top
TOOTH_SHARE = 0.30  # of the range: smaller dips are noise on a slope
TEETH_MIN = 2
CLIMB_SHARE = 0.3  # of a tooth: low marks that differ by less do not climb


@dataclass(frozen=True, slots=True)
class Pattern:
    """The shape of a memory curve.

    Attributes:
        name: one of the five names, or "undecided" when there are fewer than 8 samples.
        growth_bytes_per_s: rise per second of the stretch that rises; 0 for flat, sawtooth and a settled plateau.
        range_bytes: highest minus lowest anonymous size.
        words: a sentence for people.
    """

    name: PatternName
    growth_bytes_per_s: float
    range_bytes: int
    words: str

    def __str__(self) -> str:
        return self.words


def pattern_of(points: Sequence[Point]) -> Pattern:
    """The shape of `points`, oldest first. O(points) time.

    >>> from flatwater.meter.timeline import Timeline
    >>> line = Timeline()
    >>> for tick in range(200):
    ...     line.add(tick / 100, rss=tick << 20, anon=tick << 20)
    >>> print(line.pattern)
    linear: rises by 100 MiB/s, from 0 B to 199 MiB
    """
    if len(points) < POINTS_MIN:
        return Pattern("undecided", 0.0, 0, f"undecided: {_counted(len(points))} no shape")
    times = [point.t_s for point in points]
    highs = [point.anon_max for point in points]
    lows = [point.anon_min for point in points]
    bottom, top = min(lows), max(highs)
    span = top - bottom
    settled = (
        bisect.bisect_right(times, times[0] + START_SHARE * (times[-1] - times[0])) if top <= START_BYTES_MAX else 0
    )
    breath = max(highs[settled:]) - min(lows[settled:])
    if breath <= max(FLAT_BYTES, FLAT_SHARE * top):
        return Pattern("flat", 0.0, span, f"flat: stays within {_size(breath)} below {_size(top)}")

    moments, marks, height = _low_marks(times, highs, lows, TOOTH_SHARE * span)
    if len(marks) >= TEETH_MIN:
        if not _climb(marks, height):
            words = f"sawtooth: {len(marks)} teeth between {_size(bottom)} and {_size(top)}"
            return Pattern("sawtooth", 0.0, span, words)
        slope = _slope(moments, marks, 0, len(marks) - 1)
        words = f"linear: rises by {_size(slope)}/s in {len(marks)} teeth, to {_size(top)}"
        return Pattern("linear", slope, span, words)
    if _stays_low(times, highs, bottom + 0.5 * span):
        came = "starts at" if highs.index(top) <= START_SHARE * len(highs) else "one tooth, up to"
        return Pattern(
            "sawtooth", 0.0, span, f"sawtooth: {came} {_size(top)}, and back to {_size(min(lows[highs.index(top) :]))}"
        )
    return _rise(times, highs, bottom, span)


def last_climb(points: Sequence[Point]) -> tuple[float, float]:
    """`(bytes per second, seconds)`: the speed of the upper half of the way to the peak, and the time at the peak after it.

    For a program that a limit ended: how it got there, and how long it stood there. O(points) time.
    """
    if not points:
        return 0.0, 0.0
    times = [point.t_s for point in points]
    envelope = list(itertools.accumulate((point.anon_max for point in points), max))
    base, top = envelope[0], envelope[-1]
    reached = _reached(envelope)
    half = bisect.bisect_left(envelope, base + 0.5 * (top - base))
    slope = _slope(times, envelope, max(half - 1, 0), reached)
    if not slope and times[reached] > 0:  # it was there at the first look
        slope = envelope[reached] / times[reached]
    return slope, times[-1] - times[reached]


def until_top(points: Sequence[Point]) -> Sequence[Point]:
    """The way to the peak, without what came after it."""
    envelope = list(itertools.accumulate((point.anon_max for point in points), max))
    return points[: _reached(envelope) + 1] if envelope else points


def _reached(envelope: list[int]) -> int:
    """Where the envelope is first (nearly) at its top."""
    return bisect.bisect_left(envelope, envelope[0] + TOP_SHARE * (envelope[-1] - envelope[0]))


def _counted(samples: int) -> str:
    return "1 sample shows" if samples == 1 else f"{samples} samples show"


def _rise(times: list[float], highs: list[int], bottom: int, span: int) -> Pattern:
    """Plateau, linear or hockey stick, from the envelope up to where it got (nearly) to its top."""
    envelope = list(itertools.accumulate(highs, max))
    start, base = times[0], envelope[0]
    top = envelope[-1]
    # A program that ends at its peak, or soon after (an interpreter takes a while to free what it held), is judged by how
    # it got there. One that stays up for a third of its time or more has a plateau, and the time after the peak shows it.
    reached = _reached(envelope)
    stays = sum(high >= bottom + 0.5 * span for high in highs[reached:])
    end_index = len(times) - 1 if stays > len(times) // 3 else reached
    end = times[end_index]
    third = bisect.bisect_left(times, start + (end - start) * 2 / 3)
    late_share = (envelope[end_index] - envelope[max(third - 1, 0)]) / (top - base) if top > base else 0.0

    if late_share <= PLATEAU_LATE_SHARE:
        words = f"plateau: climbs to {_size(top)} within {units.format_duration(times[reached] - start)}, then stays"
        return Pattern("plateau", 0.0, span, words)
    if late_share >= STICK_LATE_SHARE:
        # The bend lies farthest below the straight line from start to end; what a start takes does not move it.
        rise, took = top - base, (end - start) or 1.0
        bend = max(range(end_index + 1), key=lambda i: (times[i] - start) / took - (envelope[i] - base) / rise)
        slope = _slope(times, envelope, bend, end_index)
        words = f"hockey stick: quiet for {units.format_duration(times[bend] - start)}, then {_size(slope)}/s up to {_size(top)}"
        return Pattern("hockey stick", slope, span, words)
    slope = _slope(times, envelope, 0, end_index)
    return Pattern("linear", slope, span, f"linear: rises by {_size(slope)}/s, from {_size(base)} to {_size(top)}")


def _slope(times: list[float], values: list[int], first: int, last: int) -> float:
    seconds = times[last] - times[first]
    return (values[last] - values[first]) / seconds if seconds > 0 else 0.0


def _low_marks(
    times: list[float], highs: list[int], lows: list[int], depth: float
) -> tuple[list[float], list[int], float]:
    """The lowest value after each fall of at least `depth`, until it rose by as much again; when; and the median fall."""
    moments: list[float] = []
    marks: list[int] = []
    falls: list[int] = []
    falling = False
    high, low = highs[0], lows[0]
    for moment, point_high, point_low in zip(times, highs, lows, strict=True):
        if falling:
            if point_low < low:
                low, moments[-1] = point_low, moment
                marks[-1], falls[-1] = low, high - low
            if point_high - low >= depth:
                falling, high = False, point_high
        else:
            high = max(high, point_high)
        if not falling and high - point_low >= depth:
            falling, low = True, point_low
            moments.append(moment)
            marks.append(point_low)
            falls.append(high - point_low)
    return moments, marks, statistics.median(falls) if falls else 0.0


def _climb(marks: list[int], height: float) -> bool:
    """Whether the later low marks stand well above the earlier ones: growth with teeth."""
    half = len(marks) // 2
    rise = statistics.median(marks[-half:]) - statistics.median(marks[:half])
    return rise > max(FLAT_BYTES, CLIMB_SHARE * height)


def _stays_low(times: list[float], highs: list[int], half: float) -> bool:
    """Whether what it rose to was given back: after its peak it lay below the middle for a third of its time or more."""
    peak = highs.index(max(highs))
    low_s = sum(times[i + 1] - times[i] for i in range(peak, len(times) - 1) if highs[i] < half)
    return low_s > (times[-1] - times[0]) / 3


def _size(count: float) -> str:
    return units.format_bytes(count)
