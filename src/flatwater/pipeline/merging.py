"""The stage that puts several flows together: sorted ones into one that is sorted, others batch by batch in turn.

Covers:     other flows as parts of a run, checking that they are sorted, taking turns.
Not here:   the merge of blocks (`pipeline.blocks`), sorting (`pipeline.sorting`).
Holds:      a batch of each flow, and what its stages hold; see `Merge.bytes_max`.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from operator import lt
from typing import Any, ClassVar, final

from flatwater import errors, limits
from flatwater.pipeline import promise, running
from flatwater.pipeline.blocks import Block, Scale, blame, merged
from flatwater.pipeline.place import Batch, Place
from flatwater.pipeline.policy import shown
from flatwater.pipeline.sources import Source
from flatwater.pipeline.stages import Function, Stage, called, name_of


@final
@dataclass(frozen=True, slots=True)
class Branch:
    """Another flow, as a part of this one."""

    source: Source
    stages: tuple[Stage, ...]
    batch_bytes: int
    batch_rows: int

    def bytes_max(self) -> int:
        """The most it holds, in bytes."""
        return sum(count for _name, count in promise.holders(self.source, self.stages, self.batch_bytes))

    @contextlib.contextmanager
    def opened(self, place: Place) -> Iterator[Iterator[Batch]]:
        """Its batches; what it passes over is told with the rest of the run."""
        policy = place.policy
        on_error = "raise" if policy.has_letters else policy.name  # a letter names a stage of the flow itself
        run = running.Run(
            self.source, self.stages, running.Options(self.batch_bytes, self.batch_rows, on_error), part_of=place.ending
        )
        try:
            with contextlib.closing(run.batches()) as batches:
                yield batches
        finally:
            policy.count += run.policy.count
            policy.kept += run.policy.kept[: limits.FLOW_FAILURES_KEPT - len(policy.kept)]
            place.gauge.skipped += run.policy.count


@dataclass(frozen=True, slots=True)
class Merge:
    """Items of this flow and of others."""

    branches: tuple[Branch, ...]
    key: Function | None
    reverse: bool
    is_ordered: bool

    why_no_checkpoint: ClassVar[str] = "reads flows whose places a checkpoint does not have"

    @property
    def name(self) -> str:
        """For people."""
        by = f" by {name_of(self.key)}" if self.key is not None else ""
        return f"merge({len(self.branches) + 1} flows{by})"

    def bytes_max(self, batch_bytes: int) -> int:
        """The most it holds, in bytes."""
        total = 0
        total += sum(branch.bytes_max() for branch in self.branches)  # the other flows, with a batch of each
        if self.is_ordered:
            total += batch_bytes  # the batch of this flow
            total += batch_bytes  # what is handed on
        if self.key is not None:
            total += batch_bytes + sum(branch.batch_bytes for branch in self.branches)  # keys
        return total

    def over(self, batches: Iterator[Batch], place: Place) -> Iterator[Batch]:
        """All items of all flows."""
        with contextlib.ExitStack() as opened:
            inputs = [batches, *(opened.enter_context(branch.opened(place)) for branch in self.branches)]
            yield from self._ordered(inputs, place) if self.is_ordered else _in_turn(inputs, place)

    def _ordered(self, inputs: list[Iterator[Batch]], place: Place) -> Iterator[Batch]:
        blocks = [self._blocks(each, place, number) for number, each in enumerate(inputs, 1)]
        scale = Scale()
        for keys, items in merged(blocks, reverse=self.reverse, wants_keys=False):
            del keys
            box = [items]
            del items
            yield from scale.batches(box, place)

    def _blocks(self, batches: Iterator[Batch], place: Place, number: int) -> Iterator[Block]:
        """Batches with their keys, which are in order.

        Raises:
            UsageError: they are not.
        """
        last: list[Any] = []
        count = 0
        for batch in batches:
            keys, items = batch, batch
            if self.key is not None:
                keys, items = called(self.key, batch, place.gauge, place.policy)
            else:
                place.gauge.items_in += len(batch)
            del batch
            if items:
                self._check(last + keys[:1], number, count)
                self._check(keys, number, count + 1)
                last, count = keys[-1:], count + len(items)
                box = [(keys, items)]
                del keys, items
                yield box.pop()

    def _check(self, keys: list[Any], number: int, count: int) -> None:
        def wrongs() -> Iterator[bool]:
            later = islice(keys, 1, None)
            return map(lt, keys, later) if self.reverse else map(lt, later, keys)

        try:
            if not any(wrongs()):
                return
            wrong = next(at for at, is_wrong in enumerate(wrongs()) if is_wrong)
        except Exception as error:
            blame(keys, error)
            raise
        raise errors.UsageError(
            f"{self.name}: flow {number} is not sorted: its item {count + wrong + 1:,} has the key {shown(keys[wrong + 1])}, "
            f"behind {shown(keys[wrong])}.",
            hint="Sort it first: flow.sort(key, reverse=...), or take merge(..., ordered=False).",
        )


def _in_turn(inputs: list[Iterator[Batch]], place: Place) -> Iterator[Batch]:
    """A batch of each, round and round, until all have ended."""
    left = deque(inputs)
    while left:
        each = left.popleft()
        batch = next(each, None)
        if batch is None:
            continue
        left.append(each)
        place.gauge.items_in += len(batch)
        box = [batch]
        del batch
        yield box.pop()
