"""The stage that writes items to a sink, and hands them on.

Covers:     to: what a target means, writing batch by batch.
Not here:   the sinks (`pipeline.sinks`), when they commit and finish (`pipeline.running`).
Holds:      what its sink does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flatwater.pipeline.place import Batch, Place
from flatwater.pipeline.sinks.base import Sink


@dataclass(frozen=True, slots=True)
class To:
    """Write each item, and hand it on."""

    sink: Sink

    @property
    def name(self) -> str:
        """For people."""
        return f"to({self.sink.name})"

    def bytes_max(self, batch_bytes: int) -> int:
        """The most it holds, in bytes."""
        return self.sink.bytes_max(batch_bytes)

    def over(self, batches: Iterator[Batch], place: Place) -> Iterator[Batch]:
        """The items that were written."""
        writer = place.writer
        assert writer is not None, "a run opens it"
        for batch in batches:
            if not batch:
                yield batch
                continue
            if place.is_written:  # with the checkpoint that was not completed: the sink was faster
                place.gauge.items_in += len(batch)
                box = [batch]
            else:
                box = [writer.write(batch, place.gauge, place.policy)]
            del batch
            if box[0]:
                yield box.pop()
