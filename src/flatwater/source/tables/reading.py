"""One pass over a table in order, batch by batch, each in statements that end before the batch is handed over.

Covers:     steps, the end of a batch by bytes or rows, a bound fixed at the start, where to go on.
Not here:   iterators for users (`tables.passes`), SQL (`tables.statements`), databases (`tables.adapters`).
Holds:      the batch being built: see `Reading.bytes_max`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from flatwater import errors, limits
from flatwater.source.tables import seek
from flatwater.source.tables.conditions import Condition
from flatwater.source.tables.forms import BASE_BYTES, Form, Row
from flatwater.source.tables.order import Order
from flatwater.source.tables.shape import Dialect, PageQuery, Relation

Key = tuple[object, ...]


class Reader(Protocol):
    """What a pass asks of a database: rows of one statement, as they come; closing them ends the statement."""

    @property
    def dialect(self) -> Dialect:
        """Its words."""
        ...

    @property
    def buffers(self) -> bool:
        """Whether its driver takes rows from the server that nobody asked for yet."""
        ...

    def rows(self, query: PageQuery, *, row_bytes: int) -> Iterator[Row]:
        """Rows of a page, one by one; `row_bytes` is what they take by experience."""
        ...

    def errors(self) -> AbstractContextManager[None]:
        """The driver's errors as ours, in this block."""
        ...


class Reading:
    """A pass; not for use by two threads at once.

    Args:
        reader: the database.
        relation: what is read.
        order: a total order.
        form: what rows become.
        batch_bytes: of one batch, in heap bytes; a row that is larger passes alone.
        batch_rows: of one batch, at most.
        after: the position to go on behind; None for the beginning.
        start: the first rows to read; None for the first there are.
        finish: the last rows to read, included; None for no end.
        index: a hint for databases that need one.
        unsure: which columns of the order are of a key and can be NULL, and so may have the same NULL in several rows.
    """

    def __init__(
        self,
        reader: Reader,
        relation: Relation,
        order: Order,
        form: Form,
        *,
        batch_bytes: int,
        batch_rows: int,
        after: Key | None = None,
        start: Key | None = None,
        finish: Key | None = None,
        index: str = "",
        unsure: Sequence[int] = (),
    ) -> None:
        self.reader = reader
        self.relation = relation
        self.order = order
        self.form = form
        self.batch_bytes = batch_bytes
        self.batch_rows = batch_rows
        self.index = index
        self.unsure = unsure
        self.position = after
        self.finish: Condition | None = None if finish is None else seek.until(order, finish)
        self._base = BASE_BYTES
        self._row_bytes = 0
        if after is not None:
            self._steps = self._after(after)
        elif start is not None:
            self._steps = seek.steps_after(order, start, inclusive=True, row_values=reader.dialect.row_values)
        else:
            self._steps = seek.steps_all()

    def next_batch(self) -> list[Any]:
        """The next rows; empty when there are no more."""
        out: list[Any] = []
        used = 0
        while self._steps and len(out) < self.batch_rows:
            asked = min(self.batch_rows - len(out), self._likely_rows(used))
            before = len(out)
            with self._rows_of(self._query(asked)) as rows:
                taken, last, is_full = self.form.collect(iter(rows), out, self.batch_bytes - used, self._base)
            got = len(out) - before
            used += taken
            if last is not None:
                self._learn(out[-1], taken, got)
                self.position = tuple(last[at] for at in self.form.key_at)
            if is_full:
                self._steps = self._after(self._reached)
                return out
            if got < asked:
                self._steps.pop(0)
            else:
                self._steps = self._after(self._reached)
        return out

    @property
    def _reached(self) -> Key:
        assert self.position is not None
        return self.position

    def _after(self, position: Key) -> list[seek.Step]:
        if any(position[at] is None for at in self.unsure):
            self._refuse_twins(position)
        return seek.steps_after(self.order, position, row_values=self.reader.dialect.row_values)

    def _refuse_twins(self, position: Key) -> None:
        """Say so where several rows have this very key: what is behind one of them cannot be told.

        Raises:
            BrokenError: they have.
        """
        conditions = seek.equal(self.order, position)
        query = PageQuery(self.relation, self.form.columns, conditions, self.order, 2, self.index)
        with self._rows_of(query) as rows:
            found = sum(1 for _ in rows)
        if found > 1:
            key = ", ".join(f"{name}={value!r}" for name, value in zip(self.order.names, position, strict=True))
            raise errors.BrokenError(
                f"{self.relation}: several rows have the key {key}, and some would be lost.",
                hint="Make its columns NOT NULL, or read a SELECT that has a key, such as SELECT rowid AS n, * FROM ... of SQLite.",
            )

    @contextlib.contextmanager
    def _rows_of(self, query: PageQuery) -> Iterator[Iterator[Row]]:
        """The rows of a statement, which ends with the block."""
        rows = self.reader.rows(query, row_bytes=self._row_bytes)
        try:
            with self.reader.errors():
                yield rows
        finally:
            close = getattr(rows, "close", None)
            if close is not None:
                close()

    def _likely_rows(self, used: int) -> int:
        """How many rows fill the batch, by experience: drivers that buffer are not asked for many more."""
        if not self.reader.buffers:
            return self.batch_rows
        if not self._row_bytes:
            return limits.TABLE_FIRST_ROWS
        return max(1, (self.batch_bytes - used) * 5 // (self._row_bytes * 4))

    def _learn(self, row: object, taken: int, count: int) -> None:
        if self._base == BASE_BYTES:
            self._base = self.form.base_bytes(row)
        self._row_bytes = max(taken // count, 1)

    def _query(self, count: int) -> PageQuery:
        conditions: Sequence[Condition] = self._steps[0]
        if self.finish is not None:
            conditions = (*conditions, self.finish)
        return PageQuery(self.relation, self.form.columns, tuple(conditions), self.order, count, self.index)

    def bytes_max(self) -> int:
        """The most this pass can hold at once, in bytes, beside the largest row and what its driver holds."""
        total = 0
        total += self.batch_bytes  # the batch being built
        total += self.batch_bytes  # the batch that the caller looks at
        return total
