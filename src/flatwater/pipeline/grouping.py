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
from typing import Any

from flatwater.pipeline.policy import Policy
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.stages import Batch
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

    def over(self, batches: Iterator[Batch], weigher: Weigher, gauge: Gauge, policy: Policy) -> Iterator[Batch]:  # noqa: ARG002 - as others
        """One list at a time."""
        for group in Weigher(self.group_bytes, self.rows).batches(_items(batches, gauge), gauge):
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

    def over(self, batches: Iterator[Batch], weigher: Weigher, gauge: Gauge, policy: Policy) -> Iterator[Batch]:  # noqa: ARG002 - as others
        """Windows, in the order of their first items; none if there are fewer items than a window has."""
        return weigher.batches(self._windows(batches, gauge), gauge)

    def _windows(self, batches: Iterator[Batch], gauge: Gauge) -> Iterator[tuple[Any, ...]]:
        held: deque[Any] = deque(maxlen=self.count)
        for item in _items(batches, gauge):
            held.append(item)
            if len(held) == self.count:
                yield tuple(held)


def _items(batches: Iterator[Batch], gauge: Gauge) -> Iterator[Any]:
    def counted() -> Iterator[Iterator[Any]]:
        for batch in batches:
            gauge.items_in += len(batch)
            turns = iter(batch)
            del batch
            yield turns

    return chain.from_iterable(counted())
