"""Stages that work on an item at a time, over batches: map, filter, flat_map, each, and generator functions as they are.

Covers:     one batch in and its results out, in lists that stay within bytes; which item failed.
Not here:   regrouping items (`pipeline.grouping`), the chain of a run (`pipeline.running`).
Holds:      one batch of results, while it is made; see `Stage.bytes_max`.

No stage keeps a batch that it has handed on: what is suspended between two stages holds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, compress, islice
from operator import length_hint
from types import CoroutineType
from typing import Any, Protocol

from flatwater import errors
from flatwater.pipeline import keeping
from flatwater.pipeline.place import Batch, Place
from flatwater.pipeline.policy import Policy
from flatwater.pipeline.report import Gauge

Function = Callable[[Any], Any]


class Stage(Protocol):
    """One step of a flow. Picklable, if its function is."""

    @property
    def name(self) -> str:
        """For people, such as "map(clean)"."""
        ...

    def bytes_max(self, batch_bytes: int) -> int:
        """The most it holds beside the batch that it is given, in bytes, in a flow of such batches."""
        ...

    def over(self, batches: Iterator[Batch], place: Place) -> Iterator[Batch]:
        """What it makes of batches, as batches.

        An empty one comes where the source waits, if a stage behind holds results; one that has nothing to do then hands
        it on.
        """
        ...


def name_of(function: object) -> str:
    """What people call it."""
    found = getattr(function, "__qualname__", "") or getattr(getattr(function, "func", None), "__qualname__", "")
    return found.rpartition("<locals>.")[2] or type(function).__name__


@dataclass(frozen=True, slots=True)
class Map:
    """The function's result in place of each item."""

    function: Function

    @property
    def name(self) -> str:
        """For people."""
        return f"map({name_of(self.function)})"

    def bytes_max(self, batch_bytes: int) -> int:
        """The most it holds, in bytes."""
        return batch_bytes  # results of the batch at work

    def over(self, batches: Iterator[Batch], place: Place) -> Iterator[Batch]:
        """Results, in their order: of as many items at a time as fit, when they are larger than what they are made of."""
        gauge, weigher = place.gauge, place.weigher()
        for batch in batches:
            if not batch:
                yield batch
                continue
            count, first, size = len(batch), 0, 0
            box: list[Batch] = [[]]
            while first < count:
                part = batch[first : first + weigher.at_once]
                first += len(part)
                results = called(self.function, part, gauge, place.policy)[0]
                size += weigher.weigh(results)
                box[0] += results
                del part, results
                if first >= count:
                    del batch
                if box[0] and (first >= count or size >= weigher.bytes_max):
                    gauge.bytes_out += size
                    yield box.pop()
                    box, size = [[]], 0


@dataclass(frozen=True, slots=True)
class Each:
    """Call the function for each item, and hand the item on."""

    function: Function
    verb: str = "each"

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.verb}({name_of(self.function)})"

    def bytes_max(self, batch_bytes: int) -> int:  # noqa: ARG002 - as others
        """Nothing of its own."""
        return 0

    def over(self, batches: Iterator[Batch], place: Place) -> Iterator[Batch]:
        """The items for which the function came to its end."""
        for batch in batches:
            if not batch:
                yield batch
                continue
            box = [called(self.function, batch, place.gauge, place.policy)[1]]
            del batch
            if box[0]:
                yield box.pop()


@dataclass(frozen=True, slots=True)
class Filter:
    """The items for which the function says yes."""

    function: Function

    @property
    def name(self) -> str:
        """For people."""
        return f"filter({name_of(self.function)})"

    def bytes_max(self, batch_bytes: int) -> int:  # noqa: ARG002 - as others
        """Nothing of its own."""
        return 0

    def over(self, batches: Iterator[Batch], place: Place) -> Iterator[Batch]:
        """Items, in their order; they are weighed, because it may be by their size that it chooses them."""
        weigher = place.weigher()
        for batch in batches:
            if not batch:
                yield batch
                continue
            answers, items = called(self.function, batch, place.gauge, place.policy)
            box = [list(compress(items, answers))]
            del batch, items, answers
            if box[0]:
                place.gauge.bytes_out += weigher.weigh(box[0])
                yield box.pop()


@dataclass(frozen=True, slots=True)
class FlatMap:
    """All items of what the function returns for each item."""

    function: Function

    @property
    def name(self) -> str:
        """For people."""
        return f"flat_map({name_of(self.function)})"

    def bytes_max(self, batch_bytes: int) -> int:
        """The most it holds, in bytes."""
        return batch_bytes  # results, however many an item has

    def over(self, batches: Iterator[Batch], place: Place) -> Iterator[Batch]:
        """Results, in their order; they are taken as they are wanted."""
        weigher = place.weigher()
        for batch in batches:
            if not batch:
                yield batch
                continue
            turns = iter(batch)
            del batch
            yield from weigher.batches(self._expanded(turns, place), place.gauge)

    def _expanded(self, items: Iterator[Any], place: Place) -> Iterator[Any]:
        gauge = place.gauge
        for item in items:
            gauge.items_in += 1
            try:
                made = self.function(item)
                if made is None:
                    raise errors.UsageError(  # noqa: TRY301 - the policy tells where
                        f"{self.name} returned None.", hint="Return an iterable: a list, or a generator."
                    )
                yield from made
            except Exception as error:  # noqa: BLE001 - whatever it is, the policy decides
                place.policy.failed(gauge, gauge.items_in, item, error)


@dataclass(frozen=True, slots=True)
class Pipe:
    """A generator function as it is: it takes an iterator of items, and yields others."""

    function: Callable[[Iterator[Any]], Iterable[Any]]

    @property
    def name(self) -> str:
        """For people."""
        return f"pipe({name_of(self.function)})"

    def bytes_max(self, batch_bytes: int) -> int:
        """The most it holds, in bytes, beside what the function keeps."""
        return batch_bytes  # what it yielded

    def over(self, batches: Iterator[Batch], place: Place) -> Iterator[Batch]:
        """What it yields."""
        made = self.function(items_of(batches, place.gauge))
        try:
            items = iter(made)
        except TypeError:
            raise errors.UsageError(
                f"{self.name} returned {type(made).__name__}, which is no iterator.",
                hint="pipe takes a function of an iterator, such as a generator function; for one of an item, use map.",
            ) from None
        return self._handed_on(items, place)

    @staticmethod
    def _handed_on(items: Iterator[Any], place: Place) -> Iterator[Batch]:
        seen = keeping.Locals(items, place.gauge)
        try:
            first = iter(list(islice(items, 1)))
            seen.look()  # what is there by now does not grow with the items
            for batch in place.weigher().batches(chain(first, items), place.gauge):
                box = [batch]
                del batch
                seen.look()
                yield box.pop()
        finally:
            if isinstance(items, Generator):  # now, and not when the last traceback of an error is gone
                items.close()


def items_of(batches: Iterator[Batch], gauge: Gauge) -> Iterator[Any]:
    """The items, one by one, counted as they come."""

    def counted() -> Iterator[Iterator[Any]]:
        for batch in batches:
            gauge.items_in += len(batch)
            turns = iter(batch)
            del batch
            yield turns

    return chain.from_iterable(counted())


def called(
    function: Function, items: Batch, gauge: Gauge, policy: Policy, results: list[Any] | None = None
) -> tuple[list[Any], Batch]:
    """The function's result for each item, and the items that it did: without those that failed, if the policy goes on.

    Results are put into `results`, where they are also when the function ends this with what is no Exception.

    Raises:
        What the function raises, under the policy "raise".
    """
    results = [] if results is None else results
    done = items
    turns = iter(items)
    while True:
        error: Exception
        try:
            results.extend(map(function, turns))  # keeps what came before one that fails
        except Exception as raised:  # noqa: BLE001 - whatever it is, the policy decides
            error = raised
        else:
            if len(results) == len(done):
                break
            error = RuntimeError("the function raised StopIteration")  # which ends a `map` in silence
        if done is items:
            done = list(items)
        item = done.pop(len(results))
        try:
            policy.failed(gauge, gauge.items_in + len(items) - length_hint(turns), item, error)
        finally:
            del error  # which would hold this frame, and with it the batch
    gauge.items_in += len(items)
    if results and type(results[0]) is CoroutineType:
        raise errors.UsageError(
            f"{name_of(function)} returned a coroutine, which nobody awaits.",
            hint="Await in the source, or give pmap a function that waits in its thread.",
        )
    return results, done
