"""What a watcher saw: the whole time at falling resolution, and the newest stretch at a fine one.

Covers:     taking samples for hours; one list of points for a forecast, in which a late bend is still seen.
Not here:   one history of one resolution (`meter.timeline`).
Holds:      three timelines; see `History.bytes_max`.
"""

from __future__ import annotations

import threading
from typing import final

from flatwater import limits
from flatwater.meter.timeline import Point, Timeline


@final
class History:
    """Three timelines. Adding is for one thread, reading for any.

    >>> history = History()
    >>> for second in range(7200):
    ...     history.add(float(second), rss=second, anon=second)
    >>> len(history.points()) < 1536, history.points()[-1].rss_max
    (True, 7199)
    """

    def __init__(self) -> None:
        self._whole = Timeline(points_max=limits.WATCH_POINTS_MAX)
        self._older = Timeline(points_max=limits.WATCH_POINTS_MAX)
        self._recent = Timeline(points_max=limits.WATCH_POINTS_MAX)
        self._recent_until_s = limits.WATCH_RECENT_S
        self._whole_until_s = 0.0
        self._lock = threading.Lock()

    def bytes_max(self) -> int:
        """The most it holds, in bytes."""
        return self._whole.bytes_max() + self._older.bytes_max() + self._recent.bytes_max()

    def add(self, t_s: float, rss: int, anon: int) -> None:
        """Take one sample in; about 3 us."""
        if t_s >= self._recent_until_s:
            self._turn(t_s)
        self._recent.add(t_s, rss, anon)

    def _turn(self, t_s: float) -> None:
        """Begin a new stretch; the oldest of the two goes into the whole: a few ms, twice a minute."""
        with self._lock:
            before_s = self._whole_until_s
            for point in self._older.points():
                # A point holds a stretch's lowest and highest: both must be found again.
                self._whole.add((before_s + point.t_s) / 2, point.rss_max, point.anon_min)
                self._whole.add(point.t_s, point.rss_max, point.anon_max)
                before_s = point.t_s
            self._whole_until_s = before_s
            self._older, self._recent = self._recent, Timeline(points_max=limits.WATCH_POINTS_MAX)
        self._recent_until_s = t_s + limits.WATCH_RECENT_S

    def points(self, *, baseline: int = 0) -> list[Point]:
        """Oldest first: the whole time up to where the newer histories begin, then those; less `baseline` bytes each."""
        with self._lock:
            points = self._whole.points() + self._older.points() + self._recent.points()
        return points if baseline == 0 else [_less(point, baseline) for point in points]


def _less(point: Point, baseline: int) -> Point:
    """Unknown sizes (-1) stay unknown."""
    rss, high, low = (
        max(0, size - baseline) if size >= 0 else size for size in (point.rss_max, point.anon_max, point.anon_min)
    )
    return Point(point.t_s, rss, high, low)
