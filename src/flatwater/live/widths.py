"""How wide the rows of a query are, which is seen as they are read, and how many of them a batch may have.

Covers:     averages and the widest row of each table, rows of a batch, when to begin anew, when to refuse.
Not here:   what a query makes of rows (`live.growth`), running it (`live.engine`).
Holds:      two numbers for each table of a query.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, final

from flatwater import errors, limits
from flatwater.live.fence import Query, TableReference

_FIRST_BYTES: Final = 256  # that a row is taken to have before one was read


class TooWide(Exception):  # noqa: N818 - it is no error: the query begins anew
    """Batches of so many rows would be too large, and nothing was handed out yet."""


@final
class Widths:
    """Of one query. Not thread-safe.

    Args:
        query: that reads the rows.
        values: of its parameters.
        pool_bytes: that the engine has for what it keeps.

    Attributes:
        rows: of a batch.
        has_begun: rows were handed out.
    """

    def __init__(self, query: Query, values: Sequence[Any], pool_bytes: int) -> None:
        self._query, self._values, self._pool_bytes = query, values, pool_bytes
        self._averages = dict.fromkeys(query.references, _FIRST_BYTES)
        self._widest = dict(self._averages)
        self.rows = limits.LIVE_BATCH_ROWS
        self.has_begun = False
        self._fit(self._made(self._averages))
        self._check()

    def note(self, table: TableReference, batch: Any, widest: int) -> None:
        """A batch of a table was read.

        Raises:
            TooWide: the query has to begin anew, with the `rows` that there are now.
            LimitReached: it makes rows that are larger than the pool; or its rows have become too wide in its midst.
        """
        average = batch.nbytes // max(batch.num_rows, 1)
        if widest > self._widest[table]:
            self._widest[table] = widest
            self._check()
        if average <= self._averages[table]:
            return
        self._averages[table] = average
        made = self._made(self._averages)
        if made * self.rows <= 2 * limits.LIVE_BATCH_BYTES or self.rows == 1:
            return
        if not self.has_begun:
            self._fit(made)
            raise TooWide
        if made * self.rows > self._pool_bytes // 2:
            raise self._refused(made * self.rows)

    def _made(self, read: dict[TableReference, int]) -> int:
        """Bytes of a row that the query makes."""
        references = self._query.references
        return self._query.row_bytes(self._values, sum(read[table] * count for table, count in references.items()))

    def _fit(self, made: int) -> None:
        self.rows = max(1, min(self.rows, limits.LIVE_BATCH_BYTES // max(made, 1)))

    def _check(self) -> None:
        made = self._made(self._widest)
        if made > self._pool_bytes:
            raise self._refused(made)

    def _refused(self, size: int) -> errors.LimitReached:
        return errors.LimitReached(
            f"the query may make {size:,} B at once of the rows that it reads; the SQL engine has {self._pool_bytes:,} B.",
            what="sql_pool", limit=self._pool_bytes,
            hint="Leave long columns out, or cut them by left(); or open the database with a larger sql_pool=.",
        )  # fmt: skip
