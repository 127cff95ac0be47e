"""Where a flow writes to: one file for each kind of sink.

Covers:     which sink a target means.
Not here:   the stage that writes (`pipeline.writing`).
Holds:      nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from flatwater import errors
from flatwater.pipeline import checking, streams
from flatwater.pipeline.sinks.base import Sink

FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".txt": "text", ".bin": "bytes", ".parquet": "parquet"}


def sink_of(
    target: Any,
    *,
    format: str | None,  # noqa: A002 - as elsewhere
    columns: Sequence[str] | None,
    schema: Any,
    on_conflict: str | None,
) -> Sink:
    """What a target means.

    Raises:
        UsageError: nothing, or the options are of another kind.
    """
    if on_conflict is not None and not checking.is_a("flatwater.source.tables.table", "Table", target):
        raise errors.UsageError("on_conflict= is for a table.", hint="Leave it out.")
    if isinstance(target, (str, os.PathLike)):
        return _file(os.path.abspath(os.fspath(target)), format, columns, schema)
    if format is not None or columns is not None or schema is not None:
        raise errors.UsageError("format=, columns= and schema= are for files.", hint="Leave them out.")
    if checking.is_a("flatwater.store.partition", "Partition", target):
        from flatwater.pipeline.sinks.stores import StoreSink

        return StoreSink(target)
    if checking.is_a("flatwater.source.tables.table", "Table", target):
        from flatwater.pipeline.sinks.tables import TableSink

        target.writer(on_conflict or "raise")  # raises, if that is nothing for this table
        return TableSink(target, on_conflict or "raise")
    from flatwater.pipeline.sinks.calls import CallSink, QueueSink

    if streams.is_queue(target):
        return QueueSink(target)
    if all(hasattr(target, name) for name in ("name", "open", "bytes_max")):
        sink: Sink = target
        return sink
    if callable(target):
        return CallSink(checking.of_an_item(target))
    raise errors.UsageError(
        f"{type(target).__name__} is no sink.",
        hint="Give the path of a file, a fw.Table, a fw.Store, a queue, or a function of an item.",
    )


def _file(path: str, kind: str | None, columns: Sequence[str] | None, schema: Any) -> Sink:
    if kind is None:
        kind = FORMATS.get(os.path.splitext(path)[1].lower())
    if kind is None or kind not in FORMATS.values():
        raise errors.UsageError(
            f"what to write to {os.path.basename(path)!r} is not known.",
            hint=f"End its name with one of {', '.join(FORMATS)}, or say format=.",
        )
    if schema is not None and kind != "parquet":
        raise errors.UsageError("schema= is for Parquet.", hint="Leave it out.")
    if schema is not None and not checking.is_a("pyarrow.lib", "Schema", schema):
        raise errors.UsageError(
            f"schema= is {type(schema).__name__}, and none of Arrow.", hint='pyarrow.schema([("n", pyarrow.int64())])'
        )
    if columns is not None and kind != "csv":
        raise errors.UsageError("columns= is for CSV.", hint="Leave it out, or map each item to what is to be written.")
    if kind == "parquet":
        from flatwater.pipeline.sinks.parquet import ParquetFile

        return ParquetFile(path, schema)
    from flatwater.pipeline.sinks.files import LineFile

    if isinstance(columns, str):
        raise errors.UsageError(f"columns={columns!r} is one text.", hint="Give a list of names.")
    return LineFile(path, kind, tuple(columns or ()))
