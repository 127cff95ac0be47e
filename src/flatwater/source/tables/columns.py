"""Record batches made of whole columns, where the database can put a page's values together by itself.

Covers:     when that is done and when rows are read instead, arrays of what the database joined.
Not here:   the statement (`adapters.sqlite_columns`), batches made of rows (`tables.arrow`).
Holds:      one page as text and as arrays: see `ColumnReading`.

It is a faster way to the same batches. Whatever it cannot do exactly, it leaves to the rows: other types than the columns
had so far, separators inside of text, rows that are wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flatwater import limits
from flatwater.source.tables.adapters.sqlite_columns import KINDS, NULL, SEPARATOR, Joined, Kind
from flatwater.source.tables.reading import Key, Reading

if TYPE_CHECKING:
    from flatwater.source.tables.adapters.base import Adapter
    from flatwater.source.tables.arrow import Batcher


class ColumnReading(Reading):
    """A pass that gives record batches, and lists of rows where it must; see `Reading` for its other arguments.

    While a page is put together it is there several times: as SQLite holds it, as text, and as arrays; so it has a tenth of
    what a batch may have.

    Args:
        batcher: makes record batches of rows, and so settles what the columns' types are.
    """

    def __init__(self, batcher: Batcher, reader: Adapter, *arguments: Any, **options: Any) -> None:
        import pyarrow.compute  # noqa: F401 - a few MB: here they come with pyarrow, and not in the middle of a pass

        super().__init__(reader, *arguments, **options)
        self._join = reader.join
        self.batcher = batcher
        self._skip = 0  # batches to read row by row, before columns are tried again
        self._failed = 0  # tries in a row that gave nothing
        self._left: Any = None  # of the last page
        self._settled: list[Kind] | None = None  # the columns' kinds, until rows say more of them
        self._row_bytes_seen = 1  # of a row, by experience
        self._rows_most = limits.TABLE_BATCH_ROWS_MAX

    def next_batch(self) -> Any:
        """The next record batch, or rows for one; an empty list when there are no more."""
        while self._left is None and self._steps and self._skip == 0:
            kinds = self._settled = self._kinds() if self._settled is None else self._settled
            room = self.batch_bytes * 3 // 4  # a third of batch_bytes is there; this is a quarter
            # SQLite doubles a text as it grows, as long as the double is below the limit; then each value is a copy of all.
            fitting = min(room * 2 // 5, limits.TABLE_JOIN_BYTES) // self._row_bytes_seen
            asked = min(self.batch_rows * limits.TABLE_JOIN_BATCHES, self._rows_most, fitting)
            if not kinds or asked < limits.TABLE_JOIN_ROWS_MIN:
                break
            page = self._join(self._query(asked), kinds, room)
            if page is not None and page.rows == 0:
                self._steps.pop(0)
                continue
            self._left = page and self._batch_of(page, kinds)
            if self._left is None:
                self._failed += 1
                self._skip = 1 << min(self._failed, 6)
                self._rows_most = max(asked // 2, limits.TABLE_JOIN_ROWS_MIN)
                break
            self._failed, self._rows_most = 0, min(self._rows_most * 2, limits.TABLE_BATCH_ROWS_MAX)
            if self._left.num_rows < asked:
                self._steps.pop(0)
            else:
                self._steps = self._after(self._key_of(self._left))
        return self._rows() if self._left is None else self._cut()

    def _rows(self) -> list[Any]:
        self._skip = max(self._skip - 1, 0)
        rows = super().next_batch()
        self._settled = None
        if rows:
            self._row_bytes_seen = self._row_bytes  # heap bytes, which are more than those of text
        return rows

    def _cut(self) -> Any:
        """The next part of what is there."""
        left = self._left
        batch, self._left = left.slice(0, self.batch_rows), None
        if left.num_rows > self.batch_rows:
            self._left = left.slice(self.batch_rows)
        self.position = self._key_of(batch)
        return batch

    def _key_of(self, batch: Any) -> Key:
        return tuple(batch.column(at)[batch.num_rows - 1].as_py() for at in self.form.key_at)

    def _kinds(self) -> list[Kind]:
        """The columns' kinds; empty where one cannot be joined, or is not known yet."""
        if not self._row_bytes or self.form.columns != self.batcher.names:
            return []
        kinds = self.batcher.kinds()
        return kinds if KINDS.issuperset(kind.type for kind in kinds) else []

    def _batch_of(self, page: Joined, kinds: Sequence[Kind]) -> Any:
        """The record batch of a page; None where it is not what the kinds say."""
        import pyarrow as pa
        import pyarrow.compute as pc

        self._row_bytes_seen = len(page.text) // page.rows + 1
        parts = pc.split_pattern(pa.array([page.text], pa.string()), SEPARATOR).values
        if len(parts) != page.rows * len(kinds):
            return None
        arrays = [_array(kind, parts.slice(at * page.rows, page.rows)) for at, kind in enumerate(kinds)]
        return pa.RecordBatch.from_arrays(arrays, names=list(self.batcher.names))


def _array(kind: Kind, parts: Any) -> Any:
    """The array of a column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind.is_nullable and pc.any(is_null := pc.equal(parts, NULL)).as_py():
        parts = pc.if_else(is_null, None, parts)
    if kind.type == "binary":
        return pa.array([None if part is None else bytes.fromhex(part) for part in parts.to_pylist()], pa.binary())
    return parts if kind.type == "string" else parts.cast(kind.type)
