"""Stages that put items together: lists of so many bytes or rows, windows of neighbours.

Covers:     batch, window.
Not here:   stages on single items (`pipeline.stages`).
Holds:      the group that is being filled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from math import inf
from typing import Any

from flatwater.pipeline.place import Batch, Place
from flatwater.pipeline.stages import items_of
from flatwater.pipeline.weighing import Weigher


@dataclass(frozen=True, slots=True)
class Group:
    """Lists of items; each list is one item from here on."""

    group_bytes: int
    rows: int

    @property
    def name(self) -> str:
        """For people."""
        return f"batch({self.rows:,} rows)"

    def bytes_max(self, batch_bytes: int) -> int:  # noqa: ARG002 - it has its own
        """The most it holds, in bytes."""
        return self.group_bytes  # the list that is being filled

    def over(self, batches: Iterator[Batch], place: Place) -> Iterator[Batch]:
        """One list at a time; one that is not full when a segment ends goes on in the next."""
        is_over = False

        def over() -> Iterator[Any]:
            nonlocal is_over
            is_over = True
            yield from ()

        turns = chain(_taken(place), items_of(batches, place.gauge), over())
        for group in Weigher(self.group_bytes, self.rows).batches(turns, place.gauge, patience_s=inf, together=True):
            if is_over and not place.segment.is_last:
                place.carried = group
                return
            box = [[group]]
            del group
            yield box.pop()


@dataclass(frozen=True, slots=True)
class Window:
    """Each item with those behind it: tuples of `count` neighbours."""

    count: int

    @property
    def name(self) -> str:
        """For people."""
        return f"window({self.count})"

    def bytes_max(self, batch_bytes: int) -> int:
        """The most it holds, in bytes, beside `count` items."""
        return 2 * batch_bytes  # tuples; and the items in them, which outlive their batch

    def over(self, batches: Iterator[Batch], place: Place) -> Iterator[Batch]:
        """Windows, in the order of their first items; none if there are fewer items than a window has."""
        return place.weigher().batches(self._windows(batches, place), place.gauge)

    def _windows(self, batches: Iterator[Batch], place: Place) -> Iterator[tuple[Any, ...]]:
        held: deque[Any] = deque(_taken(place), maxlen=self.count)
        for item in items_of(batches, place.gauge):
            held.append(item)
            if len(held) == self.count:
                yield tuple(held)
        place.carried = list(held)[1 if len(held) == self.count else 0 :]


def _taken(place: Place) -> list[Any]:
    carried, place.carried = place.carried, []
    return carried
