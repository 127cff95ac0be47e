"""Normal, high, critical: which level a row of samples asks for, so that a spike is no alarm.

Covers:     thresholds with a gap between entering and leaving, and how many samples in a row each change takes.
Not here:   taking samples and re-checking them (`watch.Watcher`), acting on a level (`watch.ladder`).
Holds:      three counters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, final

from flatwater import errors, limits

Level = Literal["normal", "high", "critical"]
RANK: dict[Level, int] = {"normal": 0, "high": 1, "critical": 2}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where levels begin and end, as shares of the limit, and how many samples in a row it takes.

    Attributes:
        high: entering high.
        critical: entering critical.
        gap: a level is left this far below where it is entered.
        high_samples: in a row at or above `high`.
        critical_samples: in a row at or above `critical`.
        leave_samples: in a row below the leaving threshold.

    Raises:
        UsageError: thresholds that are not in order, or counts below 1.

    >>> Thresholds.at_period(0.01).high_samples
    50
    """

    high: float = limits.WATCH_HIGH_SHARE
    critical: float = limits.WATCH_CRITICAL_SHARE
    gap: float = limits.WATCH_LEAVE_GAP
    high_samples: int = round(limits.WATCH_HIGH_HOLD_S / limits.SAMPLE_PERIOD_S)
    critical_samples: int = limits.WATCH_CRITICAL_SAMPLES
    leave_samples: int = round(limits.WATCH_LEAVE_HOLD_S / limits.SAMPLE_PERIOD_S)

    def __post_init__(self) -> None:
        shares = (self.gap, self.high, self.critical)
        if any(isinstance(share, bool) or not isinstance(share, (int, float)) for share in shares) or not (
            0 < self.gap < self.high < self.critical <= 1
        ):
            raise errors.UsageError(
                f"high={self.high!r}, critical={self.critical!r}, gap={self.gap!r} cannot be thresholds.",
                hint="They are shares of the limit: 0 < gap < high < critical <= 1.",
            )
        for name in ("high_samples", "critical_samples", "leave_samples"):
            count = getattr(self, name)
            if isinstance(count, bool) or not isinstance(count, int) or count < 1:
                raise errors.UsageError(f"{name}={count!r}: a whole number of samples, 1 or more.")

    @classmethod
    def at_period(
        cls,
        period_s: float,
        *,
        high: float = limits.WATCH_HIGH_SHARE,
        critical: float = limits.WATCH_CRITICAL_SHARE,
        gap: float = limits.WATCH_LEAVE_GAP,
        high_samples: int | None = None,
        critical_samples: int = limits.WATCH_CRITICAL_SAMPLES,
    ) -> Thresholds:
        """Thresholds whose hold times are those of `limits` at another sampling period."""
        if high_samples is None:
            high_samples = max(1, math.ceil(limits.WATCH_HIGH_HOLD_S / period_s - 1e-9))
        leave_samples = max(1, math.ceil(limits.WATCH_LEAVE_HOLD_S / period_s - 1e-9))
        return cls(high, critical, gap, high_samples, critical_samples, leave_samples)

    def leaves(self, level: Level) -> float:
        """The share below which `level` is left."""
        return (self.critical if level == "critical" else self.high) - self.gap

    @property
    def rests(self) -> float:
        """The share that shedding aims at: a gap below where high is left, or half of it where that is little."""
        return max(self.leaves("high") - self.gap, self.leaves("high") / 2)


@final
class Levels:
    """The level so far, and the rows of samples that would change it. Not thread-safe: one thread feeds it.

    >>> levels = Levels(Thresholds(high_samples=2))
    >>> levels.see(0.9), levels.see(0.9)
    (None, 'high')
    >>> levels.enter("high"); levels.level
    'high'
    """

    def __init__(self, thresholds: Thresholds) -> None:
        self.thresholds = thresholds
        self.level: Level = "normal"
        self._above_high = 0
        self._above_critical = 0
        self._below = 0

    def see(self, pressure: float) -> Level | None:
        """Take one sample in; the level that the row of samples now asks for, or None if it is the present one.

        A higher level is only proposed: the caller checks again and then calls `enter` or `refute`.
        """
        at = self.thresholds
        self._above_high = self._above_high + 1 if pressure >= at.high else 0
        self._above_critical = self._above_critical + 1 if pressure >= at.critical else 0
        if self.level != "critical" and self._above_critical >= at.critical_samples:
            return "critical"
        if self.level == "normal":
            return "high" if self._above_high >= at.high_samples else None
        self._below = self._below + 1 if pressure < at.leaves(self.level) else 0
        if self._below < at.leave_samples:
            return None
        return "high" if self.level == "critical" and pressure >= at.leaves("high") else "normal"

    @property
    def is_calm(self) -> bool:
        """Whether the level is normal and no row of samples has begun that would change it."""
        return self.level == "normal" and not self._above_high

    @property
    def is_rising(self) -> bool:
        """Whether the last sample was critical and the level is not yet."""
        return self._above_critical > 0 and self.level != "critical"

    def confirms(self, level: Level, pressure: float) -> bool:
        """Whether a second look still asks for entering `level`."""
        return pressure >= (self.thresholds.critical if level == "critical" else self.thresholds.high)

    def enter(self, level: Level) -> None:
        """Make `level` the present one."""
        self.level = level
        self._below = 0

    def refute(self) -> None:
        """The second look found less: the rows start over."""
        self._above_high = self._above_critical = 0
