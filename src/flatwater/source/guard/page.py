"""The limits that hold for a query: those of the innermost open guard, else those of its engine or connection.

Covers:     nesting (the tighter wins), threads and tasks; what a guard has let through so far.
Not here:   the public verb (`guard.guarding`), counting one query (`guard.counting`).
Holds:      four numbers and a lock for each open guard.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import NamedTuple, final

from flatwater import errors


class Limits(NamedTuple):
    """What one query may return."""

    rows_max: int
    bytes_max: int
    pages: tuple[Page, ...] = ()  # the open guards that count it


@final
class Page:
    """What one `with fw.page_guard(...)` allows, and has let through. Thread-safe.

    Attributes:
        total_rows: of all queries together; 0 where only single queries are limited.
        queries: guarded queries so far.
        rows: their rows so far, where a total is set; else 0.
    """

    def __init__(self, rows_max: int, bytes_max: int, total_rows: int, outer: Page | None) -> None:
        self.outer = outer
        self.total_rows = total_rows
        self.queries = 0
        self.rows = 0
        self._lock = threading.Lock()
        self._tighter = rows_max, bytes_max
        if outer is not None:
            around = outer._tighter  # noqa: SLF001 - its own kind
            self._tighter = min(rows_max, around[0]), min(bytes_max, around[1])

    @property
    def limits(self) -> Limits:
        """What a query that starts now may return."""
        pages = [self]  # made anew each time: kept, it would be a ring that waits for the collector
        while (outer := pages[-1].outer) is not None:
            pages.append(outer)
        return Limits(*self._tighter, tuple(pages))

    def start(self) -> None:
        """One more query."""
        with self._lock:
            self.queries += 1

    def take(self, rows: int) -> bool:
        """So many more rows; False if the total does not allow them."""
        with self._lock:
            self.rows += rows
            return self.rows <= self.total_rows


_top: ContextVar[Page | None] = ContextVar("flatwater.page_guard", default=None)


def innermost() -> Page | None:
    """The innermost open guard of this thread or task."""
    return _top.get()


def enter(page: Page) -> None:
    """Open it, inside the one that is its `outer`."""
    _top.set(page)


def leave(page: Page) -> None:
    """Close it, and whatever was left open inside it; nothing if it was opened in another context."""
    found = _top.get()
    while found is not None and found is not page:
        found = found.outer
    if found is not None:
        _top.set(page.outer)


def limits_now(standing: Limits | None) -> Limits | None:
    """What holds for a query that starts now; `standing` are the limits of its engine or connection."""
    page = _top.get()
    return page.limits if page is not None else standing


def checked(max_rows: object, max_bytes: str | int) -> tuple[int, int]:
    """Both limits as numbers.

    Raises:
        UsageError: not a number of rows, or no size.
    """
    return rows_of(max_rows, "max_rows"), errors.bytes_of(max_bytes, what="max_bytes", least=1)


def rows_of(count: object, what: str) -> int:
    """A number of rows, 1 or more.

    Raises:
        UsageError: it is something else.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise errors.UsageError(
            f"{what}={count!r} is not a number of rows.",
            hint="Pass a whole number of 1 or more; there is no unlimited.",
        )
    return count
