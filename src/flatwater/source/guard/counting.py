"""Count the rows of one query as they arrive, and refuse the first that is too many.

Covers:     rows and heap bytes of the query, rows of all queries of a guard.
Not here:   where rows come from (`guard.drivers`), what happens to the query then (`guard.cursor`).
Holds:      at most limits.GUARD_BLOCK_ROWS rows that are not yet weighed; one `Sizer` for the process, 2 MiB at most.

Rows that are fetched together are weighed in blocks of 1, 2, 4 and then 8: a row by itself costs more to
weigh than one of a block. Where rows are large, blocks stay small: only a sudden change can exceed the limit, by one block.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import final

from flatwater import limits
from flatwater.sizing import Sizer
from flatwater.source.guard.page import Limits
from flatwater.source.guard.too_large import PageTooLarge

_sizer = Sizer()  # one for all queries: who runs the same statement again finds it calibrated. Threads may share it


@final
class Count:
    """The rows of one query so far.

    Args:
        limits: what it may return.
        statement: for the error.
    """

    def __init__(self, limits: Limits, statement: str) -> None:
        self.limits = limits
        self.statement = statement
        self.rows = 0
        self.bytes = 0
        self._totals = [page for page in limits.pages if page.total_rows]
        for page in limits.pages:
            page.start()

    def one(self, row: object) -> None:
        """A row has come.

        Raises:
            PageTooLarge: it is too many.
        """
        self._add(1, _sizer.row(row))

    def read(self, rows: Iterator[object], most: int | None = None) -> list[object]:
        """The next rows, all or at most so many.

        Raises:
            PageTooLarge: one of them is too many.
        """
        read: list[object] = []
        block_rows = 1
        while most is None or len(read) < most:
            wanted = min(block_rows, self.limits.rows_max + 1 - self.rows)
            block = list(islice(rows, wanted if most is None else min(wanted, most - len(read))))
            if not block:
                break
            count = _sizer.row(block[0]) if len(block) == 1 else _sizer.batch(block)
            self._add(len(block), count)
            read += block
            fitting = (
                (self.limits.bytes_max - self.bytes) * len(block) // (2 * count + 1)
            )  # half of what there is room for
            block_rows = max(1, min(2 * block_rows, limits.GUARD_BLOCK_ROWS, fitting))
        return read

    def _add(self, rows: int, count: int) -> None:
        self.rows += rows
        self.bytes += count
        rows_max, bytes_max, _ = self.limits
        if self.rows > rows_max:
            raise self._refusal("max_rows", rows_max)
        if self.bytes > bytes_max:
            raise self._refusal("max_bytes", bytes_max)
        for page in self._totals:
            if not page.take(rows):
                raise self._refusal("total_rows", page.total_rows)

    def _refusal(self, what: str, limit: int) -> PageTooLarge:
        return PageTooLarge(what=what, limit=limit, rows=self.rows, count=self.bytes, statement=self.statement)
