"""Stages on single items that go item by item: a large one is through all of them before the next is read.

Covers:     map, filter, each and tap in front of a flow whose items are large; the time of each of them.
Not here:   the same stages on batches of small items (`pipeline.stages`).
Holds:      one item, what became of it, and one batch of results.

A batch of small items is cheaper to hand from stage to stage than each of them. With pieces of 64 KiB it is the other way
round: what is worked on stays in the processor's cache, and freed pieces are used again at once.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import islice, pairwise
from time import perf_counter
from typing import Any, final

from flatwater.pipeline.place import Batch, Place
from flatwater.pipeline.stages import Each, Filter, Function, Map, Stage

_SAMPLED = 32  # the time of one of so many items is taken, function by function


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
        self._steps: list[tuple[int, Function, type]] = [
            (at, stage.function, type(stage))
            for at, stage in enumerate(stages)
            if isinstance(stage, (Map, Filter, Each))
        ]
        self._first = [place.gauge.items_in for place in places]
        self._dropped = [0] * len(stages)  # items that did not come out of each
        self._taken_s = [0.0] * len(stages)
        self._weighers = [place.weigher() for place in places]
        self._samples = [(0, 0) for _stage in stages]  # results that were weighed, and their bytes

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
        return len(self._steps)

    def shares(self, seconds: float) -> list[float]:
        """So many seconds, as the stages took them."""
        total = sum(self._taken_s) or 1.0
        return [seconds * taken_s / total for taken_s in self._taken_s]

    def _made(self, items: Iterator[Any]) -> Generator[Any, None, None]:
        """What becomes of each of them. Short on purpose: what runs between two large items is not in the cache."""
        steps, count = self._steps, 0
        try:
            while box := list(islice(items, 1)):
                count += 1
                self._sample(box, count)
                if not box:
                    continue  # the next one is a sample, too: of the stages behind
                yield box.pop()
                for item in islice(items, _SAMPLED - 1):
                    count += 1
                    try:
                        for at, function, kind in steps:
                            if kind is Map:
                                item = function(item)  # noqa: PLW2901 - nobody holds the one before any longer
                            elif not function(item) and kind is Filter:
                                self._dropped[at] += 1
                                break
                        else:
                            box.append(item)
                    except Exception as error:  # noqa: BLE001 - whatever it is, the policy decides
                        self._fail(at, count, item, error)
                    if box:
                        item = None  # noqa: PLW2901 - the same
                        yield box.pop()
                item = None
        finally:
            self._end(items, count)

    def _sample(self, box: list[Any], count: int) -> None:
        """The same with the time of each function, for the item in the box: what becomes of it, or nothing, is there then."""
        value = box.pop()
        for at, function, kind in self._steps:
            begun = perf_counter()
            try:
                made = function(value)
            except Exception as error:  # noqa: BLE001 - the same
                self._fail(at, count, value, error)
                return
            self._taken_s[at] += perf_counter() - begun
            if kind is Filter and not made:
                self._dropped[at] += 1
                return
            if kind is Map:
                value = made
            if kind is not Each:
                sampled, size = self._samples[at]
                self._samples[at] = sampled + 1, size + self._weighers[at].weigh_each([value])
        box.append(value)

    def _end(self, items: Iterator[Any], count: int) -> None:
        self._count(count)
        for at, (place, behind) in enumerate(pairwise(self._places)):
            place.gauge.items_out = behind.gauge.items_in
            sampled, size = self._samples[at]
            place.gauge.bytes_out += size * (behind.gauge.items_in - self._first[at + 1]) // max(1, sampled)
        if isinstance(items, Generator):
            items.close()

    def _fail(self, at: int, count: int, value: Any, error: Exception) -> None:
        self._count(count)
        gauge = self._places[at].gauge
        self._dropped[at] += 1
        try:
            self._places[at].policy.failed(gauge, gauge.items_in, value, error)
        finally:
            del error  # which would hold this frame, and with it the item

    def _count(self, count: int) -> None:
        """Tell the gauges that so many items came, of which some did not come to each of them."""
        for place, first, dropped in zip(self._places, self._first, self._dropped, strict=True):
            place.gauge.items_in = first + count
            count -= dropped


def _popped(batches: Iterator[Batch]) -> Generator[Any, None, None]:
    for batch in batches:
        batch.reverse()
        while batch:
            yield batch.pop()
