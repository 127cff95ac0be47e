"""A SQL table as a sink: rows in short transactions, with the place of a job in the same ones.

Covers:     writing batch by batch, committing with a record, finding rows that the database refuses.
Not here:   the statements (`source.tables.creating`).
Holds:      the rows of the transaction that is open, and what the table's writer holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import msgspec

from flatwater import errors, limits
from flatwater.pipeline.place import Batch
from flatwater.pipeline.policy import Policy
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.sinks.base import Record, Unrecorded
from flatwater.pipeline.stages import called
from flatwater.pipeline.weighing import Weigher


@final
@dataclass(frozen=True, slots=True)
class TableSink:
    """Rows of a table.

    Args:
        table: the `fw.Table`.
        on_conflict: with a row whose key is there: "raise", "skip" or "update".
    """

    table: Any
    on_conflict: str = "raise"

    @property
    def name(self) -> str:
        """For people."""
        return str(self.table.name)

    def bytes_max(self, batch_bytes: int) -> int:  # noqa: ARG002 - a transaction has its own
        """The most it holds, in bytes."""
        return limits.FLOW_TRANSACTION_BYTES  # rows not committed: where one is refused, the others are written again

    def own_bytes(self) -> int:
        """What its writer takes from the budget itself, in bytes."""
        return int(self.table.writer(self.on_conflict).bytes_max())

    def open(self, job: str, state: Any) -> TableWriter | _Plain:  # noqa: ARG002 - the database has it
        """A connection of its own; or the user's, which a job cannot have."""
        writer = self.table.writer(self.on_conflict)
        try:
            writer.open()
        except errors.UsageError:
            if job:
                raise
            return _Plain(self)
        return TableWriter(writer, has_job=bool(job))


@final
class TableWriter:
    """Rows on their way into transactions."""

    def __init__(self, writer: Any, *, has_job: bool) -> None:
        self._writer = writer
        self._has_job = has_job
        self._open: Batch = []  # rows of the transaction that is open
        self._open_bytes = 0
        self._weigher = Weigher(limits.FLOW_TRANSACTION_BYTES, limits.FLOW_ROWS_MAX)

    @property
    def is_full(self) -> bool:
        """It is time to commit: the transaction is to be short."""
        return self._open_bytes >= limits.FLOW_TRANSACTION_BYTES or len(self._open) >= limits.FLOW_TRANSACTION_ROWS

    def write(self, items: Batch, gauge: Gauge, policy: Policy) -> Batch:
        """Into the transaction that is open; without a job, into one of their own."""
        before = len(self._open)
        self._put(items, 0, gauge, policy)
        written = self._open[before:]
        gauge.items_in += len(items)
        if not self._has_job:
            self._commit(None)
        else:
            self._open_bytes += self._weigher.weigh(written)
        return written

    def _put(self, items: Batch, first: int, gauge: Gauge, policy: Policy) -> None:
        """All of them, but for those that the database refuses: these are found by halves."""
        try:
            self._writer.write(items)
        except Exception as error:  # noqa: BLE001 - whatever it is, the policy decides
            self._again()
            if len(items) == 1:
                policy.failed(gauge, gauge.items_in + first + 1, items[0], error)
                return
        else:
            self._open += items
            return
        half = len(items) // 2  # out of the clause above: else the last error would be shown with all before it
        self._put(items[:half], first, gauge, policy)
        self._put(items[half:], first + half, gauge, policy)

    def _again(self) -> None:
        """A transaction that broke is begun anew, with the rows that it had."""
        self._writer.rollback()
        if self._open:
            self._writer.write(self._open)

    def recorded(self, job: str) -> Record | None:
        """What the database has with the rows."""
        state = self._writer.state_of(job)
        return None if state is None else Record(job, *msgspec.msgpack.decode(state))

    def commit(self, record: Record | None, *, is_last: bool) -> Any:  # noqa: ARG002 - as others
        """Rows and record, or neither."""
        self._commit(None if record is None else (record.job, msgspec.msgpack.encode((record.epoch, record.count))))

    def _commit(self, note: tuple[str, bytes] | None) -> None:
        self._writer.commit(note)
        self._open, self._open_bytes = [], 0

    def finish(self) -> Any:
        """Commit what is left, and close."""
        if self._open:
            self._commit(None)
        self._writer.close()

    def close(self, *, keep: bool) -> None:  # noqa: ARG002 - what is committed stays
        """Roll back, and close."""
        self._writer.close()


@final
class _Plain(Unrecorded):
    """Rows into a table over somebody's own connection."""

    def __init__(self, sink: TableSink) -> None:
        self._sink = sink

    def write(self, items: Batch, gauge: Gauge, policy: Policy) -> Batch:
        """In a transaction of their own; row by row, if one of them is refused."""
        table, conflict = self._sink.table, self._sink.on_conflict
        if policy.name == "raise":
            table.create_many(items, on_conflict=conflict)
            gauge.items_in += len(items)
            return items
        return called(lambda item: table.create_many([item], on_conflict=conflict), items, gauge, policy)[1]
