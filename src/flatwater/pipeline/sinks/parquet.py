"""Parquet files as sinks: rows in row groups of bounded bytes.

Covers:     a schema that is given or found in the first rows, publishing by a rename, going on after a kill.
Not here:   files of lines (`sinks.files`), reading Parquet (`source.files`).
Holds:      the rows of one row group, as columns.

A Parquet file has its table of contents at its end, and cannot be gone on with. With a checkpoint the rows are kept as Arrow's
own stream of record batches, which can, and are made a Parquet file of when all are there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from flatwater import errors, limits
from flatwater.pipeline.place import Batch
from flatwater.pipeline.policy import Policy
from flatwater.pipeline.report import Gauge
from flatwater.pipeline.sinks.base import Record
from flatwater.pipeline.sinks.files import Part, fields_of, is_special, part_of
from flatwater.pipeline.sinks.losses import losses_of
from flatwater.pipeline.stages import called

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


@final
@dataclass(frozen=True, slots=True)
class ParquetFile:
    """A Parquet file, one row for each item: dicts, dataclasses, structs, named tuples.

    Args:
        path: of the file; its folder is there.
        schema: of Arrow; found in the first batch of rows, if not given.
    """

    path: str
    schema: pa.Schema | None = None

    def __post_init__(self) -> None:
        """Import Arrow, so that it is no part of what a run is seen to take."""
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError as error:
            raise errors.MissingExtra("files", "pyarrow, for Parquet") from error

    @property
    def name(self) -> str:
        """For people."""
        return os.path.basename(self.path)

    def bytes_max(self, batch_bytes: int) -> int:
        """The most it holds, in bytes."""
        total = 0
        total += batch_bytes  # rows as dicts
        total += limits.FLOW_ROW_GROUP_BYTES  # columns of a row group that is gathered
        total += limits.FLOW_ROW_GROUP_BYTES  # and encoded
        total += limits.FLOW_ARROW_BYTES  # Arrow's own
        return total

    def open(self, job: str, state: Any) -> _Whole | _Spooled:
        """Begin to write beside the target, or go on there."""
        if is_special(self.path):
            raise errors.UsageError(
                f"{self.path} is a pipe or a device, and Parquet needs a file.", hint="Name one, or write .jsonl."
            )
        return _Spooled(self, state) if job else _Whole(self)


class _Writer:
    """Rows on their way into columns."""

    def __init__(self, sink: ParquetFile) -> None:
        self._sink = sink
        self._schema = sink.schema
        self._names: frozenset[str] = frozenset(sink.schema.names if sink.schema is not None else ())

    def write(self, items: Batch, gauge: Gauge, policy: Policy) -> Batch:
        """Their columns, in one record batch."""
        if not items:
            return items
        try:
            written, columns = items, self._columns([self._row(item) for item in items])
            gauge.items_in += len(items)
        except Exception:  # noqa: BLE001 - which one it is, is found one by one
            self._find_schema(items)
            rows, written = called(self._checked_row, items, gauge, policy)
            if not rows:
                return written
            columns = self._columns(rows)
        self._add(columns)
        return written

    def recorded(self, job: str) -> Record | None:  # noqa: ARG002 - as others
        """Nothing: a length is kept by the checkpoint."""
        return None

    def _row(self, item: Any) -> dict[str, Any]:
        row = fields_of(item)
        if row is None:
            raise errors.UsageError(
                f"{type(item).__name__} is no row of Parquet.", hint="Rows are dicts, dataclasses or structs."
            )
        if self._names and not row.keys() <= self._names:
            unknown = ", ".join(sorted(map(str, row.keys() - self._names)))
            raise errors.UsageError(
                f"no column for {unknown}: the first rows had none.", hint="Give to(..., schema=) that has all columns."
            )
        return row

    def _checked_row(self, item: Any) -> dict[str, Any]:
        row = self._row(item)
        try:
            self._columns([row])
        except Exception as error:
            columns = ", ".join(f"{field.name}: {field.type}" for field in self._schema or ())
            raise errors.UsageError(
                f"it does not suit the columns {columns}: {error}" if columns else f"it is no row of Parquet: {error}",
                hint="Give to(..., schema=) that suits all rows.",
            ) from error
        return row

    def _find_schema(self, items: Batch) -> None:
        """Of first rows that do not all suit each other: the columns of those that suit the ones in front of them."""
        import pyarrow as pa

        found = self._schema
        if found is not None:
            return
        for item in items:
            try:
                own = pa.Table.from_pylist([self._row(item)]).schema
                found = own if found is None else pa.unify_schemas([found, own], promote_options="permissive")
            except Exception:  # noqa: BLE001, S112 - it is told when it is checked
                continue
        if found is not None:
            self._schema, self._names = found, frozenset(found.names)

    def _columns(self, rows: list[dict[str, Any]]) -> pa.RecordBatch:
        import pyarrow as pa

        if self._schema is None:
            names = dict.fromkeys(name for row in rows for name in row)
            found = pa.Table.from_pylist([{**dict.fromkeys(names), **rows[0]}, *rows[1:]])
            self._schema, self._names = found.schema, frozenset(names)
        columns = pa.RecordBatch.from_pylist(rows, schema=self._schema)
        if lost := losses_of(rows, columns):
            raise ValueError(lost)
        return columns

    def _add(self, columns: pa.RecordBatch) -> None:
        raise NotImplementedError


@final
class _Whole(_Writer):
    """Straight into the Parquet file."""

    def __init__(self, sink: ParquetFile) -> None:
        super().__init__(sink)
        self._part = Part(sink.path, is_kept=False, state=None)
        self._groups = _RowGroups(self._part)

    def _add(self, columns: pa.RecordBatch) -> None:
        self._groups.add(columns)

    def commit(self, record: Record | None, *, is_last: bool) -> Any:
        """There is no job to go on with."""

    def finish(self) -> Any:
        """Publish it."""
        if self._schema is None:
            raise _no_schema(self._sink)
        self._groups.finish(self._schema)
        self._part.publish()

    def close(self, *, keep: bool) -> None:
        """Drop it."""
        self._part.close(keep=keep)


@final
class _Spooled(_Writer):
    """Into streams of record batches, one for each segment, and from there into the Parquet file."""

    def __init__(self, sink: ParquetFile, state: Any) -> None:
        super().__init__(sink)
        path = sink.path + ".rows"
        is_published = bool(state) and state["is_whole"] and not os.path.exists(part_of(path))
        self._spool = Part(path, is_kept=True, state=None if is_published else state)
        self._stream: Any = None
        if is_published and os.path.exists(sink.path):
            self._take_back()

    def _add(self, columns: pa.RecordBatch) -> None:
        import pyarrow as pa

        if self._stream is None:
            self._stream = pa.ipc.new_stream(self._spool, columns.schema)
        self._stream.write_batch(columns)

    def commit(self, record: Record | None, *, is_last: bool) -> Any:  # noqa: ARG002 - as others
        """End the stream, sync it, and tell its length."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        return {"length": self._spool.sync(), "is_whole": is_last}

    def finish(self) -> Any:
        """Make a Parquet file of all streams, publish it, and remove the streams."""
        state = self.commit(None, is_last=True)
        part = Part(self._sink.path, is_kept=False, state=None)
        try:
            self._copy_into(_RowGroups(part))
        except BaseException:
            part.close(keep=False)
            raise
        part.publish()
        self._spool.close(keep=False)
        return state

    def close(self, *, keep: bool) -> None:
        """Drop the streams, or leave them where they are."""
        self._spool.close(keep=keep)

    def _copy_into(self, groups: _RowGroups) -> None:
        schema = self._sink.schema
        for columns in self._spooled():
            schema = columns.schema
            groups.add(columns)
        if schema is None:
            raise _no_schema(self._sink)
        groups.finish(schema)

    def _spooled(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        length = self._spool.sync()
        with pa.OSFile(self._spool.path, "rb") as file:
            while file.tell() < length:
                with pa.ipc.open_stream(file) as stream:
                    yield from stream

    def _take_back(self) -> None:
        """What was published, as the first stream: the job goes on behind its end."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(self._sink.path) as published:
            for columns in published.iter_batches(batch_size=limits.FLOW_BATCH_ROWS):
                self._schema, self._names = columns.schema, frozenset(columns.schema.names)
                self._add(columns)


@final
class _RowGroups:
    """Gathers record batches until a row group is full."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._writer: pq.ParquetWriter | None = None
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = 0

    def add(self, columns: pa.RecordBatch) -> None:
        self._held.append(columns)
        self._held_bytes += columns.nbytes
        if self._held_bytes >= limits.FLOW_ROW_GROUP_BYTES:
            self._write(columns.schema)

    def finish(self, schema: pa.Schema) -> None:
        self._write(schema)
        assert self._writer is not None
        self._writer.close()

    def _write(self, schema: pa.Schema) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self._writer is None:
            self._writer = pq.ParquetWriter(self._part, schema, compression="zstd")
        if self._held:
            self._writer.write_table(pa.Table.from_batches(self._held))
        self._held, self._held_bytes = [], 0


def _no_schema(sink: ParquetFile) -> errors.UsageError:
    return errors.UsageError(
        f"{sink.name} has no row, and no columns.", hint="Give to(..., schema=), so that an empty file has columns."
    )
