"""A source in parts that other processes can take: ranges of files and tables, slices, and items that are read here.

Covers:     which kind of parts a source has, how large the next one is, where the source is behind each.
Not here:   doing a part (`pipeline.away`), sending it (`pipeline.on_dask`).
Holds:      one part, pickled; of a table, the borders of all.

Parts begin small and grow while they are done quickly: a few slow items are spread over all workers, and many quick ones are
not sent one by one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

from flatwater import errors, limits
from flatwater.pipeline.away import Done, dumped
from flatwater.pipeline.reading import Position, Reading
from flatwater.pipeline.weighing import Weigher
from flatwater.units import KIB

_QUICK_S = 0.1  # a part that takes less is followed by larger ones: sending it and back costs some 10 ms
_SLOW_S = 1.0  # one that takes more, by smaller ones: the others are waited for at the end
_FIRST_BYTES = 64 * KIB  # of a file
_LEAST_BYTES = 4 * KIB
_GROWTH = 4


@final
@dataclass(slots=True)
class Part:
    """Of a source.

    Attributes:
        origin: its items, or what reads them; pickled.
        start: where to begin in it.
        front: where the source is in front of it, but for the count; None where the count is all there is to know.
        behind: where it is behind it; the same.
        asked: items or bytes that it was to have.
    """

    origin: bytes
    start: Position
    front: Position | None
    behind: Position | None
    asked: int

    def reached(self, done: Done, count: int) -> Position:
        """Where the source is when so much of the part is done, and `count` items were given before the part."""
        total = count + done.position.count
        if self.front is None or self.behind is None:
            return Position(total, None, total)
        if done.is_whole:
            return Position(total, self.behind.token, self.behind.skip)
        if done.position.token is not None:
            return Position(total, done.position.token, done.position.skip)
        return Position(total, self.front.token, self.front.skip + done.position.skip)


@final
class Partition:
    """The parts of one pass over a source, from where a reading of it stands. For one thread."""

    def __init__(self, reading: Reading, slots: int, *, has_checkpoint: bool) -> None:
        self._reading = reading
        self._slots = slots
        self._origin = reading.origin
        self._items = 1  # of the next part
        self._bytes = _FIRST_BYTES  # of the next part of a file
        self._parts = self._found(has_checkpoint=has_checkpoint)

    def next(self) -> Part | None:
        """The next one; None at the end."""
        return next(self._parts, None)

    def learn(self, part: Part, done: Done) -> None:
        """Make those that follow larger or smaller."""
        if not done.is_whole or done.took_s > _SLOW_S:
            if part.asked <= self._items:
                self._items = max(1, self._items // 2)
            if part.asked <= self._bytes:
                self._bytes = max(_LEAST_BYTES, self._bytes // 2)
        elif done.took_s < _QUICK_S:
            if part.asked >= self._items:
                self._items = min(limits.FLOW_ROWS_MAX, self._items * _GROWTH)
            if part.asked >= self._bytes:
                self._bytes = min(limits.FLOW_DASK_PARTITION_BYTES, self._bytes * _GROWTH)

    def close(self) -> None:
        """Close what is read here."""
        self._reading.close()

    def _found(self, *, has_checkpoint: bool) -> Iterator[Part]:
        origin = self._origin
        if hasattr(origin, "part") and hasattr(origin, "extent"):
            with contextlib.suppress(errors.UsageError):  # it cannot be split: compressed, no plain file, CSV
                from_here = self._reading.position.token
                return self._of_a_file(origin.ranges(1) if from_here is None else origin.since(from_here).ranges(1))
        if type(origin) in {list, tuple, range}:
            return self._of_a_sequence()
        if hasattr(origin, "count_estimate") and hasattr(origin, "ranges") and not has_checkpoint:
            with contextlib.suppress(errors.UsageError):  # it belongs to a connection of this process
                dumped(origin, "the table")
                return self._of_a_table()
        return self._read_here()

    def _of_a_file(self, whole: list[Any]) -> Iterator[Part]:
        """Ranges of bytes. Pieces are cut where they are when it is read as a whole."""
        begun = self._reading.position
        skip = begun.skip
        for source in whole:
            size = getattr(source, "size", 0)
            counts = not hasattr(source, "since")
            first, length = source.extent
            last = first + length
            while first < last:
                asked = self._bytes if not size else max(1, self._bytes // size) * size
                end = min(last, first + asked)
                front, behind = (None, None) if counts else (Position(token=first), Position(token=end))
                origin = dumped(source.part(first, end - first), "the source")
                yield Part(origin, Position(skip=skip), front, behind, asked)
                first, skip = end, 0

    def _of_a_sequence(self) -> Iterator[Part]:
        sequence = self._origin
        weigher = Weigher(limits.FLOW_DASK_PARTITION_BYTES, limits.FLOW_ROWS_MAX)
        first = self._reading.position.skip
        while first < len(sequence):
            asked = self._items if type(sequence) is range else min(self._items, 4 * weigher.at_once)
            items = sequence[first : first + asked]
            if type(items) is not range:
                items = weigher.parts(list(items))[0]
            first += len(items)
            yield Part(dumped(items, "items of the source"), Position(), None, None, asked)

    def _of_a_table(self) -> Iterator[Part]:
        table = self._origin
        count = int(table.count_estimate()) // limits.FLOW_DASK_TABLE_ROWS
        skip = self._reading.position.skip
        for part in table.ranges(max(4 * self._slots, min(limits.TABLE_RANGES_MAX, count))):
            yield Part(dumped(part, "a part of the table"), Position(skip=skip), None, None, 0)
            skip = 0

    def _read_here(self) -> Iterator[Part]:
        reading = self._reading
        while True:
            front = reading.position
            batch = next(reading.segment(items=self._items), None)
            if batch is None:
                return
            asked = self._items
            origin = dumped(batch, "items of the source")
            del batch
            yield Part(origin, Position(), front, reading.position, asked)
