"""Typed rows of a Parquet file, a few at a time.

Covers:     reading only the columns of the schema, page by page; how many rows at a time.
Not here:   other formats, batches (`files.record_reader`).
Holds:      a page of each column, a record batch, and its rows; see `parquet_bytes`.

A column is read through a small buffer and unpacked page by page, so that a row group of any size takes a page or two for
each column: measured, 11 MB of Arrow's memory for a row group of 95 MB in three columns, where reading it at once takes 47.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flatwater import errors, limits, units
from flatwater.source.files.bad_rows import BadRow
from flatwater.source.files.rows import Rejects
from flatwater.source.files.schemas import BAD_ROW_ERRORS, RowSchema


def open_parquet(raw: Any, file: str, schema: RowSchema) -> tuple[Any, list[str]]:
    """The file, and the columns that are wanted of it.

    Raises:
        CorruptError: it is no Parquet file, or has not the columns.
        MissingExtra: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise errors.MissingExtra("files", "pyarrow") from None
    try:
        found = parquet.ParquetFile(
            pa.PythonFile(raw, mode="r"), buffer_size=buffer_bytes_of(raw), pre_buffer=False, memory_map=False,
            page_checksum_verification=True,
        )  # fmt: skip
    except (pa.ArrowException, OSError) as error:
        raise errors.CorruptError(f"{file} is no whole Parquet file: {error}.", hint="Get the file again.") from error
    names = list(found.schema_arrow.names)
    return found, [names[place] for place in schema.columns(names, file)]


def buffer_bytes_of(raw: Any) -> int:
    """Through how many bytes each column is read: more where each read is a request."""
    return int(getattr(raw, "buffer_bytes", limits.FILES_INPUT_BYTES))


def parquet_bytes(found: Any, columns: list[str], buffer_bytes: int = limits.FILES_INPUT_BYTES) -> int:
    """The most that reading takes, in bytes, where pages are of the usual size (1 MiB) or columns are small."""
    total = 0
    for place in _leaves(found, columns):
        largest = max((int(group.column(place).total_uncompressed_size) for group in _groups(found)), default=0)
        total += buffer_bytes  # the buffer through which the column is read
        total += min(largest, limits.FILES_PAGES_BYTES)  # its page as it is stored, and unpacked, and its dictionary
    total += limits.FILES_PARQUET_BATCH_BYTES  # the record batch
    total += limits.FILES_PARQUET_HEAP_RATIO * limits.FILES_PARQUET_BATCH_BYTES  # its rows as objects
    total += 2 * int(found.metadata.serialized_size)  # what the file says of itself
    return total


def parquet_rows(
    found: Any, columns: list[str], schema: RowSchema, rejects: Rejects, *, strict: bool
) -> Iterator[list[Any]]:
    """The rows, some at a time.

    Raises:
        CorruptError: a bad row, if that is the policy, or a broken file.
    """
    import pyarrow as pa

    line = 1
    pool = pa.default_memory_pool()
    batches = found.iter_batches(batch_size=batch_rows(found, columns), columns=columns, use_threads=False)
    while True:
        try:
            batch = next(batches, None)
        except (pa.ArrowException, OSError) as error:
            raise errors.CorruptError(
                f"{rejects.file}: broken after row {line - 1}: {error}.", hint="Get the file again."
            ) from error
        if batch is None:
            return
        count = batch.num_rows
        try:
            good = schema.converted(batch.to_pylist(), strict=strict)
        except (*BAD_ROW_ERRORS, pa.ArrowException):
            good = None
        if good is None:
            yield from _one_by_one(batch, line, schema, rejects, strict=strict)
        else:
            del batch
            yield good
        del good
        line += count
        pool.release_unused()  # Arrow's allocator keeps what it had: as much again as is in use, and more with each row group


def batch_rows(found: Any, columns: list[str]) -> int:
    """How many rows make a record batch of a bounded size, going by the row group with the largest rows."""
    places = _leaves(found, columns)
    largest = 1
    for group in _groups(found):
        size = sum(group.column(place).total_uncompressed_size for place in places)
        largest = max(largest, -(-size // max(1, group.num_rows)))
    return max(1, min(limits.FILES_PARQUET_ROWS, limits.FILES_PARQUET_BATCH_BYTES // (2 * largest)))


def _groups(found: Any) -> Iterator[Any]:
    return (found.metadata.row_group(number) for number in range(found.metadata.num_row_groups))


def _leaves(found: Any, columns: list[str]) -> list[int]:
    """The stored columns of some fields: a nested one has several."""
    wanted = set(columns)
    within = tuple(f"{column}." for column in columns)
    schema = found.metadata.schema
    paths = [schema.column(place).path for place in range(len(schema))]
    return [place for place, path in enumerate(paths) if path in wanted or path.startswith(within)]


def _one_by_one(batch: Any, line: int, schema: RowSchema, rejects: Rejects, *, strict: bool) -> Iterator[list[Any]]:
    """The good rows of a batch; the others are rejected: none of the schema, or with a value that Python has not."""
    import pyarrow as pa

    good: list[Any] = []
    for place in range(batch.num_rows):
        try:
            good += [schema.one(row, strict=strict) for row in batch.slice(place, 1).to_pylist()]
        except (*BAD_ROW_ERRORS, pa.ArrowException) as error:
            if not rejects.skips:
                yield good
                good = []
            reason = str(error).partition(" Install pandas")[0]  # which would only take memory
            rejects.add(BadRow(rejects.file, line + place, -1, reason))
    yield good


assert limits.FILES_PARQUET_BATCH_BYTES < 64 * units.MIB  # it is held beside its rows
