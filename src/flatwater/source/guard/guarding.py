"""Guard a request handler: no query in it returns more than a page.

Covers:     the block and the decorator, standing limits of an engine, wrapping a plain connection.
Not here:   which limits hold where (`guard.page`), how a query is cut off (`guard.cursor`).
Holds:      the rows of one query at a time: see `page_guard.bytes_max`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, final

from flatwater import errors, limits
from flatwater.source.guard import page
from flatwater.source.guard.page import Page

if TYPE_CHECKING:
    from flatwater.budget.reservation import Reservation
    from flatwater.source.guard.connection import GuardedConnection

Function = TypeVar("Function", bound=Callable[..., Any])

HOLDER = "source.page_guard"


@final
class page_guard:  # noqa: N801 - reads as a verb: with fw.page_guard(max_rows=1000)
    """Cut off each query that would return more than a page, before its rows are in memory.

    Availability is security: an endpoint that returns whatever the table holds is one large table, or one crafted filter,
    away from taking the whole server down. Once at start-up, and then where needed:

        fw.page_guard.install(engine)                              # every query through it: 1,000 rows, 8 MiB
        with fw.page_guard(max_rows=200, max_bytes="1 MiB"): ...   # in this handler
        @fw.page_guard(max_rows=50_000, max_bytes="64 MiB")        # an export may return more

    A block counts for the thread or task that entered it, and for what they start with their context. It takes the
    place of the engine's standing limits; of nested blocks the tighter limit wins. Limits hold for each query;
    `total_rows` for all queries of the block together. Only statements that read are cut off, never one that writes.

    Rows are weighed in heap bytes as they arrive. While the block is open, the outermost one holds `bytes_max()` of the
    ambient budget. `as` gives the `Page`: queries and rows so far. An instance may be used by many threads and tasks at
    once, and be entered again.

    Args:
        max_rows: rows of one query, 1 or more.
        max_bytes: heap bytes of the rows of one query.
        total_rows: rows of all queries of the block; without it, their number is not limited.

    Raises:
        UsageError: a limit that is none; at the end of the block, if nothing in this process was ever guarded.
        BudgetExceeded: at the start, the ambient budget has not so many bytes left: a web handler answers 503.
        PageTooLarge: in the place where a query ran, or its rows were fetched. A web handler answers 413.

    >>> import sqlite3
    >>> connection = page_guard.wrap(sqlite3.connect(":memory:"))
    >>> query = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n"
    >>> with page_guard(max_rows=100):
    ...     len(connection.execute(query + " LIMIT 100").fetchall())
    100
    >>> with page_guard(max_rows=100):
    ...     connection.execute(query).fetchall()
    Traceback (most recent call last):
    ...
    flatwater.source.guard.too_large.PageTooLarge: the page guard cut off a query after 101 rows ...
    """

    _is_installed = False  # in this process, anywhere

    def __init__(
        self,
        *,
        max_rows: int = limits.GUARD_ROWS,
        max_bytes: str | int = limits.GUARD_BYTES,
        total_rows: int | None = None,
    ) -> None:
        self.max_rows, self.max_bytes = page.checked(max_rows, max_bytes)
        self.total_rows = 0 if total_rows is None else page.rows_of(total_rows, "total_rows")
        self._open: dict[Page, Reservation | None] = {}  # of all threads and tasks that use this instance

    def bytes_max(self) -> int:
        """The most that rows of one query take while they are read, in bytes; the row that is too many comes on top."""
        total = 0
        total += self.max_bytes  # what was read ahead, or was fetched in one call
        return total

    def __enter__(self) -> Page:
        outer = page.innermost()
        held = None
        if outer is None:
            from flatwater.budget.budget import Budget

            held = Budget.current().reserve(self.bytes_max(), HOLDER)
        opened = Page(self.max_rows, self.max_bytes, self.total_rows, outer)
        self._open[opened] = held
        page.enter(opened)
        return opened

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        found = page.innermost()
        while found is not None and found not in self._open:
            found = found.outer  # a block of another instance was left open inside
        if found is None:  # entered in another context, which has it to itself: nobody else can close it
            found = next(reversed(self._open), None)
        if found is None:
            raise errors.UsageError(
                "this page guard is left more often than it was entered.", hint="Use it in a with block."
            )
        held = self._open.pop(found)
        page.leave(found)
        if held is not None:
            held.release()
        if kind is None and not page_guard._is_installed:
            raise errors.UsageError(
                "nothing is guarded: no engine and no connection of this process knows the page guard.",
                hint="Call fw.page_guard.install(engine) once at start-up, or use fw.page_guard.wrap(connection).",
            )

    async def __aenter__(self) -> Page:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.__exit__(kind)

    def __call__(self, function: Function) -> Function:
        """Decorate a handler: a function or a coroutine function.

        Raises:
            UsageError: a generator, which leaves the guard open in its caller between two items.
        """
        if not callable(function) or inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise errors.UsageError(
                f"{getattr(function, '__qualname__', function)!r} is no function that runs to its end.",
                hint="Put `with fw.page_guard(...):` around the query inside it.",
            )
        if inspect.iscoroutinefunction(function):

            async def guarded_async(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

            return functools.wraps(function)(guarded_async)  # type: ignore[return-value]  # the same signature

        def guarded(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return functools.wraps(function)(guarded)  # type: ignore[return-value]  # the same signature

    @staticmethod
    def install(
        subject: Any, *, max_rows: int | None = limits.GUARD_ROWS, max_bytes: str | int | None = limits.GUARD_BYTES
    ) -> None:
        """Guard an engine, once at start-up; all connections and sessions of it, also those that are there.

        Args:
            subject: an `Engine` or `AsyncEngine` of SQLAlchemy, or `django.db.connections`, or one connection of Django.
            max_rows: rows of one query where no block is open. None for both: only blocks limit.
            max_bytes: heap bytes of them.

        Raises:
            UsageError: it is none of these.

        Installing again changes the standing limits. A statement costs 2 microseconds more, a row as much as weighing it.
        """
        from flatwater.source.guard import through_django, through_sqlalchemy

        standing = _standing(max_rows, max_bytes)
        if through_django.is_connections(subject):
            through_django.install(subject, standing)
        elif through_sqlalchemy.is_engine(subject):
            through_sqlalchemy.install(subject, standing)
        else:
            raise errors.UsageError(
                f"{type(subject).__name__} is not what the page guard is installed on.",
                hint="Pass an engine of SQLAlchemy or django.db.connections; wrap a plain connection with fw.page_guard.wrap.",
            )
        page_guard._is_installed = True

    @staticmethod
    def wrap(connection: Any, *, max_rows: int | None = None, max_bytes: str | int | None = None) -> GuardedConnection:
        """A plain connection whose queries are guarded: sqlite3, psycopg 3, PyMySQL.

        Args:
            connection: the driver's. The result passes everything on to it; `.inner` is the connection itself.
            max_rows: rows of one query where no block is open. None for both: only blocks limit.
            max_bytes: heap bytes of them.

        Raises:
            UsageError: it has no cursors. Where a cursor is made: the driver is
                not one of these.
        """
        from flatwater.source.guard.connection import GuardedConnection

        if isinstance(connection, GuardedConnection):
            connection = connection.inner  # wrapped again, it has other standing limits
        if not hasattr(connection, "cursor"):
            raise errors.UsageError(
                f"{type(connection).__name__} is no connection of a database driver.",
                hint="Pass what sqlite3.connect, psycopg.connect or pymysql.connect returned.",
            )
        wrapped = GuardedConnection(connection, _standing(max_rows, max_bytes))
        page_guard._is_installed = True
        return wrapped


def _standing(max_rows: int | None, max_bytes: str | int | None) -> page.Limits | None:
    """Limits where no block is open, if there are to be any."""
    if max_rows is None and max_bytes is None:
        return None
    return page.Limits(*page.checked(
        limits.GUARD_ROWS if max_rows is None else max_rows, limits.GUARD_BYTES if max_bytes is None else max_bytes
    ))  # fmt: skip
