"""A Store or one of its partitions as a sink: items are (key, value).

Covers:     writing batch by batch, each in one short transaction; the place of a job beside its entries.
Not here:   the store (`store`).
Holds:      the entries of one batch; with a checkpoint, those since the last one, up to a number of bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from flatwater import errors
from flatwater.pipeline.place import Batch
from flatwater.pipeline.policy import Policy
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.sinks.base import Record, Unrecorded
from flatwater.pipeline.stages import called


@final
@dataclass(frozen=True, slots=True)
class StoreSink:
    """Entries of a partition. Writing an entry twice is writing it once, so that each is there once in any case."""

    partition: Any

    @property
    def name(self) -> str:
        """For people."""
        return str(self.partition.name)

    def bytes_max(self, batch_bytes: int) -> int:
        """The most it holds, in bytes."""
        return batch_bytes  # encoded entries

    def open(self, job: str, state: Any) -> _Writer:  # noqa: ARG002 - as others
        """Begin to write."""
        return _Writer(self.partition)


@final
class _Writer(Unrecorded):
    def __init__(self, partition: Any) -> None:
        self._partition = partition

    def write(self, items: Batch, gauge: Gauge, policy: Policy) -> Batch:
        """All in one transaction; one by one, if one of them cannot be an entry."""
        try:
            self._partition.write(items)
        except errors.BrokenError:  # of the disk, and of no item
            raise
        except Exception:  # noqa: BLE001, S110 - which one it is, is found one by one
            pass
        else:
            gauge.items_in += len(items)
            return items
        # Out of the clause above: else the error would be shown twice.
        return called(self._put, items, gauge, policy)[1]

    def _put(self, pair: Any) -> None:
        self._partition.write([pair])

    def commit(self, record: Record | None, *, is_last: bool) -> Any:  # noqa: ARG002 - as others
        """Make what was written last."""
        self._partition.sync()

    def finish(self) -> Any:
        """The same."""
        self._partition.sync()
