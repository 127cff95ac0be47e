"""Stages that put items together: lists of so many bytes or rows, windows of neighbours.

Covers:     batch, window.
Not here:   stages on single items (`pipeline.stages`).
Holds:      the group that is being filled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

from flatwater.pipeline.place import Batch, Place
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
        filling = _Filling(self)
        yield from filling.lists(_taken(place), place)
        for batch in batches:
            if not batch:
                yield batch
                continue
            place.gauge.items_in += len(batch)
            box = [batch]
            del batch
            yield from filling.lists(box.pop(), place)
        if not place.segment.is_last:
            place.carried = filling.items
        elif filling.items:
            yield filling.taken(place)


@final
class _Filling:
    """The list that is being filled. Texts and bytes are weighed one by one, other items by samples, up to 64 at a time."""

    def __init__(self, stage: Group) -> None:
        self.items: list[Any] = []
        self._stage = stage
        self._held = 0
        self._weigher = Weigher(stage.group_bytes, stage.rows)

    def lists(self, batch: Batch, place: Place) -> Iterator[Batch]:
        """Those that are full; the rest of the batch waits for more."""
        first, bytes_max = 0, self._stage.group_bytes
        while first < len(batch):
            count = min(self._weigher.at_once, self._stage.rows - len(self.items))
            part = batch[first : first + count]
            size = self._weight(part)
            while self._held + size > bytes_max and len(part) > 1:
                del part[max(1, min(len(part) // 2, len(part) * (bytes_max - self._held) // size)) :]
                size = self._weight(part)
            if self.items and self._held + size > bytes_max:
                yield self.taken(place)
                continue
            first += len(part)
            self.items += part
            self._held += size
            del part
            if len(self.items) >= self._stage.rows or self._held >= bytes_max:
                yield self.taken(place)

    def _weight(self, items: list[Any]) -> int:
        kind = type(items[0])
        return self._weigher.weigh_each(items) if kind is str or kind is bytes else self._weigher.weigh(items)

    def taken(self, place: Place) -> Batch:
        """The list, as the one item of a batch."""
        place.gauge.bytes_out += self._held
        items, self.items, self._held = self.items, [], 0
        return [items]


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
        held: deque[Any] = deque(_taken(place), maxlen=self.count)
        weigher = place.weigher()
        for batch in batches:
            if not batch:
                yield batch
                continue
            place.gauge.items_in += len(batch)
            turns = iter(batch)
            del batch
            yield from weigher.batches(self._windows(turns, held), place.gauge)
        place.carried = list(held)[1 if len(held) == self.count else 0 :]

    def _windows(self, items: Iterator[Any], held: deque[Any]) -> Iterator[tuple[Any, ...]]:
        for item in items:
            held.append(item)
            if len(held) == self.count:
                yield tuple(held)


def _taken(place: Place) -> list[Any]:
    carried, place.carried = place.carried, []
    return carried
