"""The error of a query that was cut off.

Covers:     how far it came, which limit it met, its statement without data, and what became of the transaction.
Not here:   cutting it off (`guard.cursor`).
Holds:      its figures; no row.
"""

from __future__ import annotations

from typing import Literal

from flatwater import errors, units

Transaction = Literal["usable", "aborted", "lost"]

_STATES = {
    "usable": "",
    "aborted": " Its transaction is aborted: roll back.",
    "lost": " Its connection had to be closed.",
}


class PageTooLarge(errors.LimitReached):
    """A query would have returned more than the page guard around it allows, and was cut off. A web handler answers 413.

    Attributes:
        what: the limit that was met: "max_rows", "max_bytes" or "total_rows".
        limit: its value.
        rows: how many rows had arrived, with the one that was too many.
        bytes: heap bytes of those rows.
        statement: the SQL, shortened, without literals. Parameters are never part of it.
        transaction: "usable" if it goes on as if nothing had been; "aborted" if it must be rolled back first, as
            PostgreSQL asks after a cancelled query; "lost" if the connection had to be closed.

    >>> error = PageTooLarge(what="max_rows", limit=1000, rows=1001, count=250_000, statement="SELECT * FROM things")
    >>> print(error)
    the page guard cut off a query after 1,001 rows and 244 KiB; it allows 1,000 rows: SELECT * FROM things. Read it in
    pages, or raise max_rows for this handler.
    """

    def __init__(
        self,
        *,
        what: str,
        limit: int,
        rows: int,
        count: int,
        statement: str,
        transaction: Transaction = "usable",
    ) -> None:
        allowed = units.format_bytes(limit) if what == "max_bytes" else f"{limit:,} row{'' if limit == 1 else 's'}"
        whole = " in all" if what == "total_rows" else ""
        super().__init__(
            f"the page guard cut off a query after {rows:,} row{'' if rows == 1 else 's'} and {units.format_bytes(count)}; "
            f"it allows {allowed}{whole}: {statement}.{_STATES[transaction]}",
            what=what,
            limit=limit,
            hint=f"Read it in pages, or raise {what} for this handler.",
        )
        self.rows = rows
        self.bytes = count
        self.statement = statement
        self.transaction = transaction

    def after(self, transaction: Transaction) -> PageTooLarge:
        """The same, once it is known what became of the transaction."""
        return _rebuild(self.what, int(self.limit), self.rows, self.bytes, self.statement, transaction)

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default reduction, and a worker's refusal must reach its parent.
        return _rebuild, (self.what, self.limit, self.rows, self.bytes, self.statement, self.transaction)


def _rebuild(what: str, limit: int, rows: int, count: int, statement: str, transaction: Transaction) -> PageTooLarge:
    return PageTooLarge(what=what, limit=limit, rows=rows, count=count, statement=statement, transaction=transaction)
