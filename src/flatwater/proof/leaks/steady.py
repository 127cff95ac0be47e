"""Which figures grew on every round.

Covers:     named figures, looked at again and again; those that once fell, or stood still, are forgotten.
Not here:   what the figures are (`census`, `figures`).
Holds:      one number a figure, then some numbers for each that still grows.
"""

from __future__ import annotations

import statistics
import struct
from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar, final

PAUSES_PART = 4  # a figure that stands still at no more than one of so many looks may be asked for as well

Key = TypeVar("Key")
_FIGURE = struct.Struct("q")


@final
class Steady(Generic[Key]):
    """Figures that grew each time they were looked at.

    Args:
        first: what they are before the first round.

    >>> steady = Steady({"rows": 10, "cache": 5})
    >>> steady.look({"rows": 11, "cache": 6}); steady.look({"rows": 13, "cache": 6}); steady.look({"rows": 14})
    >>> steady.grown(), steady.per_round("rows")
    (['rows'], 1)
    """

    __slots__ = ("_growths", "_last", "_looks", "_paused")

    def __init__(self, first: Mapping[Key, int]) -> None:
        self._last = dict(first)
        # In dicts, which a census knows to be ours, and in bytes, which the collector does not track.
        self._growths: dict[Key, bytearray] | None = None
        self._paused: dict[Key, int] = {}  # at how many looks it stood still
        self._looks = 0

    def look(self, now: Mapping[Key, int], *, only: Iterable[Key] | None = None) -> None:
        """The next round.

        Args:
            now: all figures; one that is missing is 0.
            only: at the first look, the figures that matter; all of `now` if not given.
        """
        if self._growths is None:
            wanted = now if only is None else only
            self._growths = {key: bytearray() for key in wanted if now.get(key, 0) > self._last.get(key, 0)}
        self._looks += 1
        ended = []
        for key in self._growths:
            growth = now.get(key, 0) - self._last.get(key, 0)
            if growth == 0:
                self._paused[key] = self._paused.get(key, 0) + 1
            if growth < 0 or self._paused.get(key, 0) * PAUSES_PART > self._looks:
                ended.append(key)
            else:
                self._growths[key] += _FIGURE.pack(growth)
        for key in ended:
            del self._growths[key]
            self._paused.pop(key, None)
        self._last = {key: now.get(key, 0) for key in self._growths}

    def grown(self) -> list[Key]:
        """Those that grew at every look; none before the first."""
        return [key for key in self._growths or () if key not in self._paused]

    def growths(self, key: Key, *, with_pauses: bool = False) -> list[int]:
        """By how much, look for look; empty if it did not grow at each.

        Args:
            with_pauses: it may have stood still at one of `PAUSES_PART` looks.
        """
        if key in self._paused and not with_pauses:
            return []
        return [growth for (growth,) in _FIGURE.iter_unpack((self._growths or {}).get(key, b""))]

    def per_round(self, key: Key, *, with_pauses: bool = False) -> int:
        """The median; 0 if it did not grow at each look."""
        growths = self.growths(key, with_pauses=with_pauses)
        return int(statistics.median(growths)) if growths else 0

    def __contains__(self, key: Any) -> bool:
        return key in (self._growths or ()) and key not in self._paused
