"""Rows of one statement of SQLAlchemy as the driver has them, one by one, whatever it would buffer by itself.

Covers:     psycopg row by row, PyMySQL unbuffered, SQLite lazily, their asynchronous kinds; the cut by bytes for the ORM.
Not here:   connections (`sqlalchemy_door`), statements (`sqlalchemy_selects`).
Holds:      one row; a few of them where each fetch is a trip to another thread (`FEW_ROWS`).

SQLAlchemy's own streaming fetches by number of rows, from a cursor at the server or a buffer that grows. Here the cursor that
psycopg makes for it asks libpq for single rows, so a megabyte behind a thousand narrow rows is one megabyte.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from flatwater.source.tables.adapters.rowwise import Cut, async_cursor, cursor
from flatwater.source.tables.forms import Row

FEW_ROWS = 8  # fetched at once from drivers that hop to a thread or to the event loop for each fetch
_OPTIONS = {"stream_results": True, "max_row_buffer": 1}


@contextlib.contextmanager
def opened(
    connection: Any, execute: Callable[[dict[str, Any]], Any], *, is_users: bool, cut: Cut | None = None
) -> Iterator[Any]:
    """The result of a statement, whose rows are still with the driver.

    Args:
        connection: SQLAlchemy's.
        execute: runs the statement with these execution options.
        is_users: whether the transaction is the user's, so that it must come through unharmed.
        cut: where the ORM is to stop fetching.
    """
    from sqlalchemy import event

    strategies = [_strategy(cut)]

    def executed(*told: Any) -> None:
        *_, context, _ = told
        if strategies:  # further statements are the ORM's own
            context.cursor_fetch_strategy = strategies.pop()

    with contextlib.ExitStack() as stack:
        stack.enter_context(_row_by_row(connection, is_users=is_users))
        event.listen(connection, "after_cursor_execute", executed)
        try:
            result = execute(dict(_OPTIONS))
        finally:
            event.remove(connection, "after_cursor_execute", executed)
        stack.callback(result.close)
        yield result


def raw_rows(found: Any) -> Iterator[Row]:
    """Rows of a driver's cursor, no more of them in memory than must be."""
    if not hasattr(found, "_adapt_connection"):
        return iter(found)
    fetched = iter(lambda: found.fetchmany(FEW_ROWS), [])
    return itertools.chain.from_iterable(fetched)


def _strategy(cut: Cut | None) -> Any:
    """How SQLAlchemy's result gets its rows: not ahead, and all of them are those that fit."""
    from sqlalchemy.engine.cursor import CursorFetchStrategy

    class ByBytes(CursorFetchStrategy):  # type: ignore[misc,unused-ignore]
        __slots__ = ()

        def fetchall(self, result: Any, dbapi_cursor: Any) -> Any:
            if cut is None:
                return super().fetchall(result, dbapi_cursor)
            try:
                rows = cut.take(raw_rows(dbapi_cursor))
            except BaseException as error:  # noqa: BLE001 - SQLAlchemy tells its own errors from others
                self.handle_exception(result, dbapi_cursor, error)
            result.close()  # the ORM's further statements of this page find the connection free
            return rows

    return ByBytes()


@contextlib.contextmanager
def _row_by_row(connection: Any, *, is_users: bool) -> Iterator[None]:
    """While this lasts, psycopg's cursors for streams are ours; any other driver has such of its own."""
    driver = connection.connection.driver_connection if connection.dialect.driver.startswith("psycopg") else None
    if driver is None or not hasattr(driver, "server_cursor_factory"):
        yield
        return
    own = driver.server_cursor_factory
    driver.server_cursor_factory = async_cursor() if connection.dialect.is_async else cursor()
    # A stream that is ended early is cancelled, and that breaks a transaction: the user's goes on from here.
    savepoint = connection.begin_nested() if is_users and not driver.autocommit else None
    try:
        yield
    finally:
        driver.server_cursor_factory = own
        if savepoint is not None and savepoint.is_active:
            savepoint.rollback()
