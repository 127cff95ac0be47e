"""Stages on single items that go item by item: a large one is through all of them before the next is read.

Covers:     map, filter, each and tap in front of a flow whose items are large; the time of each of them.
Not here:   the same stages on batches of small items (`pipeline.stages`).
Holds:      one item, what became of it, and one batch of results.

A batch of small items is cheaper to hand from stage to stage than each of them. With pieces of 64 KiB it is the other way
round: what is worked on stays in the processor's cache, and freed pieces are used again at once.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import pairwise
from time import perf_counter
from typing import Any, final

from flatwater.pipeline.place import Batch, Place
from flatwater.pipeline.stages import Each, Filter, Function, Map, Stage

_SAMPLED = 16  # the time of one of so many items is taken, function by function
_DROPPED = object()


def leading(stages: Sequence[Stage]) -> int:
    """How many of the first stages can go item by item.

    >>> leading([Map(str), Filter(bool)]), leading([])
    (2, 0)
    """
    return next((at for at, stage in enumerate(stages) if not isinstance(stage, (Map, Filter, Each))), len(stages))


@final
class Singly:
    """The first stages of one run."""

    def __init__(self, stages: Sequence[Stage], places: Sequence[Place]) -> None:
        self._places = places
        self._functions: list[tuple[type, Function]] = [
            (type(stage), stage.function) for stage in stages if isinstance(stage, (Map, Filter, Each))
        ]
        self._taken_s = [0.0] * len(stages)

    def over(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """What comes out of the last of them."""
        return self.over_items(_popped(batches))

    def over_items(self, items: Iterator[Any]) -> Iterator[Batch]:
        """The same, of a source that gives items."""
        last = self._places[-1]
        return last.weigher().batches(self._made(items), last.gauge)

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self._functions)

    def shares(self, seconds: float) -> list[float]:
        """So many seconds, as the stages took them."""
        total = sum(self._taken_s) or 1.0
        return [seconds * taken_s / total for taken_s in self._taken_s]

    def _made(self, items: Iterator[Any]) -> Generator[Any, None, None]:
        gauges = [place.gauge for place in self._places]
        try:
            for item in items:
                box = [item]
                del item
                made = self._done(box)
                if made is not _DROPPED:
                    box.append(made)
                    made = None
                    yield box.pop()
        finally:
            for gauge, behind in pairwise(gauges):
                gauge.items_out = behind.items_in
            if isinstance(items, Generator):
                items.close()

    def _done(self, box: list[Any]) -> Any:
        """What becomes of one item, which nobody else holds."""
        value = box.pop()
        is_sampled = self._places[0].gauge.items_in % _SAMPLED == 0
        for at, (kind, function) in enumerate(self._functions):
            place = self._places[at]
            gauge = place.gauge
            gauge.items_in += 1
            begun = perf_counter() if is_sampled else 0.0
            try:
                made = function(value)
            except Exception as error:  # noqa: BLE001 - whatever it is, the policy decides
                place.policy.failed(gauge, gauge.items_in, value, error)
                return _DROPPED
            if is_sampled:
                self._taken_s[at] += perf_counter() - begun
            if kind is Map:
                value = made
            elif kind is Filter and not made:
                return _DROPPED
        return value


def _popped(batches: Iterator[Batch]) -> Generator[Any, None, None]:
    for batch in batches:
        batch.reverse()
        while batch:
            yield batch.pop()
