"""Rows as they were at one moment, page by page, while others change them.

Covers:     pages of a range in short transactions, undoing what was changed since the moment, rows that expired.
Not here:   what is done with the rows (`live.selecting`, `live.following`).
Holds:      a page, and the rows that were changed meanwhile as they were; see `Snapshot.walk_bytes_max`.

The moment is a number of the log. A page that is read later has newer rows, too: the log tells which rows in front of the walk
were changed since, and how they were. So no transaction stays open, and all that a statement reads is of one moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import final

from flatwater import errors, limits
from flatwater.budget.budget import Budget
from flatwater.budget.reservation import Reservation
from flatwater.live.log import Change, Get, Log, PageOf
from flatwater.live.rows import NUMBER_BYTES, Range, number_of
from flatwater.live.writing import look
from flatwater.store.engines import base
from flatwater.store.space import Space

_ROW_BYTES = 150  # of heap beside the bytes of a row's key and value

Entry = tuple[bytes, bytes]  # the key of a row, and its JSON


@final
class Snapshot:
    """All rows as they are now, for as long as somebody reads. One thread at a time for each walk.

    Args:
        space: the inside of the store.
        log: the log.
        at: the number of the moment; that of the last change, unless told otherwise.
    """

    def __init__(self, space: Space, log: Log, at: int | None = None) -> None:
        self._space = space
        self._log = log
        self._at = at

    @property
    def at(self) -> int:
        """The number of the moment."""
        if self._at is None:
            self._at = look(self._space, lambda _get, page: self._log.ends(page)[1])
        return self._at

    @staticmethod
    def walk_bytes_max() -> int:
        """The most that one walk holds, in bytes; where others write into its range, `LIVE_UNDO_BYTES` more."""
        total = 0
        total += 2 * limits.LIVE_PAGE_BYTES  # the page that is read, and the one that is used
        total += limits.LIVE_LOG_PAGE_BYTES  # of the log
        return total

    def pages(
        self,
        within: Range,
        there: bytes = b"",
        *,
        reverse: bool = False,
        rows: int = limits.LIVE_PAGE_ROWS,
        since: int = 0,
    ) -> Iterator[list[Entry]]:
        """Keys and JSON of the rows in a range, in the order of their keys.

        Args:
            within: keys.
            there: a key that is there as long as the table is; empty if that is not asked.
            reverse: from the last to the first.
            rows: of a page, at most.
            since: rows whose last change has a smaller number are left out: they expired.

        Raises:
            UsageError: the table was dropped meanwhile.
            LimitReached: so much was changed meanwhile that the moment is lost.
            BudgetExceeded: a walk over more than one row does not fit into the budget.
        """
        low, high = within
        if high == low + b"\x00":  # one row
            yield from self._walk(low, high, there, rows, since, reverse=reverse)
            return
        with self._space.budget.reserve(self.walk_bytes_max(), "live.read"):
            yield from self._walk(low, high, there, rows, since, reverse=reverse)

    def walk(
        self,
        ranges: Iterable[Range],
        there: bytes,
        *,
        reverse: bool = False,
        rows: int = limits.LIVE_PAGE_ROWS,
        since: int = 0,
    ) -> Iterator[list[Entry]]:
        """The pages of several ranges, one behind the other; `ranges` come in the order in which they are read."""
        for within in ranges:
            yield from self.pages(within, there, reverse=reverse, rows=rows, since=since)

    def _walk(
        self, low: bytes, high: bytes, there: bytes, rows: int, since: int, *, reverse: bool
    ) -> Iterator[list[Entry]]:
        undo = _Undo(self._space.budget)
        read = self._at  # the number up to which the log was read
        try:
            while True:
                page, changes, head = look(self._space, self._reader(low, high, there, read, rows, reverse=reverse))
                if read is None:
                    self._at = head
                while changes:
                    undo.note(changes, low, high, since)
                    changes = self._behind(changes[-1].sequence, head)
                read = head
                end = None if page.is_last else page.entries[-1][0]
                entries = undo.undone(page.entries, end, since=since, reverse=reverse)
                if entries:
                    yield entries
                if end is None:
                    return
                low, high = (low, end) if reverse else (end + b"\x00", high)
        finally:
            undo.close()

    def _behind(self, sequence: int, head: int) -> list[Change]:
        if sequence >= head:
            return []
        return look(self._space, lambda _get, page: self._log.behind(page, sequence, head))

    def get(self, key: bytes, since: int = 0) -> bytes | None:
        """The JSON of one row, or None."""
        for page in self.pages((key, key + b"\x00"), since=since):
            return page[0][1]
        return None

    def _reader(
        self, low: bytes, high: bytes, there: bytes, read: int | None, rows: int, *, reverse: bool
    ) -> Callable[[Get, PageOf], tuple[base.Page, list[Change], int]]:
        """Of one version: a page of rows, and the first changes since `read`, of which the last is told."""

        def call(get: Get, page_of: PageOf) -> tuple[base.Page, list[Change], int]:
            if there and get(there) is None:  # its rows are removed without a word in the log
                raise errors.UsageError("the table was dropped while its rows were read.", hint="Ask again.")
            found = page_of(low, high, rows=rows, bytes_max=limits.LIVE_PAGE_BYTES, reverse=reverse)
            head = self._log.ends(page_of)[1]
            if read is None or head <= read:
                return found, [], head
            if self._log.begins(page_of)[1] > read:
                raise errors.LimitReached(
                    "so much was changed while the statement read that the log does not reach back to its begin.",
                    what="log_bytes", limit=0, hint="Read less at a time, or open the database with a larger log_bytes=.",
                )  # fmt: skip
            return found, self._log.behind(page_of, read, head), head

        return call


@final
class _Undo:
    """Rows in front of a walk as they were at a moment, where they were changed since."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._reservation: Reservation | None = None
        self._rows: dict[bytes, bytes | None] = {}
        self._held = 0

    def note(self, changes: list[Change], low: bytes, high: bytes, since: int) -> None:
        """Remember how rows in [low, high) were before these changes."""
        for change in changes:
            if low <= change.key < high and change.key not in self._rows:
                if self._reservation is None:
                    self._reservation = self._budget.reserve(limits.LIVE_UNDO_BYTES, "live.read")
                old = change.old if change.since >= since else None  # it had expired
                self._rows[change.key] = old
                self._held += len(change.key) + len(old or b"") + _ROW_BYTES
        if self._held > limits.LIVE_UNDO_BYTES:
            raise errors.LimitReached(
                "so much was changed while the statement read that it cannot be undone in its memory.",
                what="LIVE_UNDO_BYTES", limit=limits.LIVE_UNDO_BYTES, hint="Read less at a time, or while less is written.",
            )  # fmt: skip

    def close(self) -> None:
        """The walk is over."""
        if self._reservation is not None:
            self._reservation.release()

    def undone(self, entries: list[base.Raw], end: bytes | None, *, since: int, reverse: bool) -> list[Entry]:
        """A page as it was; `end` is its last key, None if nothing follows."""
        rows = self._rows
        if not rows:
            if since:
                return [(key, value[NUMBER_BYTES:]) for key, value in entries if number_of(value) >= since]
            return [(key, value[NUMBER_BYTES:]) for key, value in entries]
        found = [(key, value[NUMBER_BYTES:]) for key, value in entries if key not in rows and number_of(value) >= since]
        passed = [key for key in rows if end is None or (key >= end if reverse else key <= end)]
        for key in passed:
            old = rows.pop(key)
            self._held -= len(key) + len(old or b"") + _ROW_BYTES
            if old is not None:
                found.append((key, old))
        if passed:
            found.sort(key=_key, reverse=reverse)
        return found


def _key(entry: Entry) -> bytes:
    return entry[0]
