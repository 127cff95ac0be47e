"""How many times less one peak is than another, no more precisely than is known.

Covers:     noise, peaks that are intervals, zero; lower bounds, and their words.
Not here:   which peaks are compared (`proof.comparison`).
Holds:      a few numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

ALIKE_SHARE = 0.05  # two peaks that differ by less than this are called alike: other builds of an interpreter do, too
PRECISE_NOISES = 10.0  # a peak of fewer noises is known to less than two figures: a ratio to it is a lower bound

Direction = Literal["less", "more", "alike", "unknown"]


@dataclass(frozen=True, slots=True)
class Ratio:
    """One peak against another.

    Attributes:
        direction: whether the second takes "less", "more", or what the first takes ("alike"); "unknown" where sampled
            peaks do not tell.
        times: so many times; 1 for "alike" and "unknown".
        at_least: `times` is a lower bound, because the smaller peak is near or below what can be told apart.
    """

    direction: Direction
    times: float
    at_least: bool

    @property
    def figure(self) -> str:
        """For a table: "34x", "at least 250x", "3.2x more", "same", "not known"."""
        if self.direction == "unknown":
            return "not known"
        if self.direction == "alike":
            return "same"
        words = f"{'at least ' if self.at_least else ''}{times_words(self.times)}"
        return words if self.direction == "less" else f"{words} more"

    @property
    def words(self) -> str:
        """For a sentence, before a name."""
        if self.direction == "unknown":
            return "cannot be told from"
        if self.direction == "alike":
            return "takes as much as"
        return f"takes {'at least ' if self.at_least else ''}{times_words(self.times)} {self.direction} than"

    @property
    def times_less(self) -> float | None:
        """One figure for both directions: below 1 it is more; None if it is not known."""
        if self.direction == "unknown":
            return None
        return 1 / self.times if self.direction == "more" else self.times


def ratio(first: tuple[float, float], second: tuple[float, float], noise_bytes: float) -> Ratio:
    """How the second peak compares with the first.

    Args:
        first: the least and the most that it can be, in bytes; the same number twice where it is exact.
        second: the same.
        noise_bytes: by which two peaks may differ without meaning anything; more than 0.

    >>> mib = 1 << 20
    >>> ratio((64 * mib, 64 * mib), (4 * mib, 4 * mib), 0.2 * mib).figure
    '16x'
    >>> ratio((64 * mib, 64 * mib), (0, 0), 0.2 * mib).figure
    'at least 320x'
    >>> ratio((4 * mib, 4 * mib), (64 * mib, 64 * mib), 0.2 * mib).figure
    '16x more'
    """
    assert noise_bytes > 0, "a verdict's noise has a least value"
    slack = max(noise_bytes, ALIKE_SHARE * max(first[0], second[0]))
    if abs(first[0] - second[0]) <= slack and abs(first[1] - second[1]) <= slack:
        return Ratio("alike", 1.0, at_least=False)
    if second[0] <= first[1] + slack and first[0] <= second[1] + slack:
        is_below = second[0] <= first[0] + slack and second[1] <= first[1] + slack  # with both its ends
        return Ratio("less", 1.0, at_least=True) if is_below else Ratio("unknown", 1.0, at_least=False)
    direction: Direction = "less" if second[0] < first[0] else "more"
    small, large = sorted((first, second))
    is_precise = small[0] >= PRECISE_NOISES * noise_bytes and small[0] == small[1] and large[0] == large[1]
    if is_precise:
        return Ratio(direction, large[0] / small[0], at_least=False)
    times = large[0] / (max(small[1], 0.0) + noise_bytes)
    return Ratio(direction, _floor(times), at_least=True)


def times_words(times: float) -> str:
    """So many times, for people.

    >>> times_words(46.3)
    '46x'
    """
    return f"{two_figures(times)}x"


def two_figures(times: float) -> str:
    """A factor to the figures that mean something.

    >>> two_figures(1.284), two_figures(9.97), two_figures(46.3), two_figures(48_766)
    ('1.3', '10', '46', '49,000')
    """
    if times < 9.95:  # noqa: PLR2004 - two figures
        return f"{times:.1f}"
    return f"{round(times, 2 - len(str(round(times)))):,.0f}"


def _floor(times: float) -> float:
    """Two figures, rounded down: a lower bound stays one."""
    step = 10.0 ** (math.floor(math.log10(times)) - 1)
    return max(1.0, round(math.floor(times / step + 1e-9) * step, 6))
