"""Which figures grew on every round.

Covers:     named figures, looked at again and again; those that once fell, or stood still, are forgotten; groups of objects
            in which one is replaced by a larger one each time.
Not here:   what the figures are (`census`, `figures`).
Holds:      one number a figure, then some numbers for each that still grows; of groups, one number for each size in them.
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
            key: its name.
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


@final
class Replaced(Generic[Key]):
    """Groups in which at each look a larger object stood in for the one that had come at the look before.

    A text that gets longer is a new object each time, and among others it cannot be told by its identity. But the size that
    came at one look is the one that goes at the next. In a bounded buffer, whose texts get longer one after the other, it is
    not; nor does the largest get larger each time, which counts as well.

    Args:
        first: how many objects of which size are in a group.

    >>> log, ring = "log", "ring"
    >>> replaced = Replaced({(log, 50): 1, (ring, 58): 9})
    >>> replaced.look({(log, 51): 1, (ring, 58): 8, (ring, 59): 1})
    >>> replaced.look({(log, 52): 1, (ring, 58): 7, (ring, 59): 2})
    >>> replaced.groups()
    {'log': 1}
    """

    __slots__ = ("_came", "_largest", "_last", "_looks", "_rising")

    def __init__(self, first: Mapping[tuple[Key, int], int]) -> None:
        self._last = dict(first)
        self._largest = _largest(first)
        self._rising = dict(self._largest)  # where the largest got larger each time: how large it was at first
        self._came: dict[
            tuple[Key, int], int
        ] = {}  # sizes that came for those that had come before: what that was at first
        self._looks = 0

    def look(self, now: Mapping[tuple[Key, int], int]) -> None:
        """The next round: how many of which size there are now."""
        self._looks += 1
        last = self._last
        smallest: dict[Key, tuple[int, int]] = {}  # of what came at the last look and went at this one
        for (group, size), count in last.items() if self._looks == 1 else ():
            if count > now.get((group, size), 0):
                smallest[group] = min(smallest.get(group, (size, size)), (size, size))
        for (group, size), start in self._came.items():
            if last[group, size] > now.get((group, size), 0):
                smallest[group] = min(smallest.get(group, (size, start)), (size, start))
        self._came = {
            (group, size): smallest[group][1]
            for (group, size), count in now.items()
            if count > last.get((group, size), 0) and group in smallest and size > smallest[group][0]
        }
        largest = _largest(now)
        self._rising = {
            group: start for group, start in self._rising.items() if largest.get(group, 0) > self._largest[group]
        }
        self._last, self._largest = dict(now), largest

    def groups(self) -> dict[Key, int]:
        """Those in which that was so at each look, and by how much it grew from look to look; none before the first."""
        if not self._looks:
            return {}
        ends = {group: (self._largest[group], start) for group, start in self._rising.items()}
        for (group, size), start in self._came.items():
            ends[group] = max(ends.get(group, (size, start)), (size, start))
        return {group: max(1, (end - start) // self._looks) for group, (end, start) in ends.items()}


def _largest(sizes: Mapping[tuple[Key, int], int]) -> dict[Key, int]:
    """Of each group."""
    largest: dict[Key, int] = {}
    for group, size in sizes:
        largest[group] = max(largest.get(group, size), size)
    return largest
