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

from flatwater.source.tables.forms import Row

FEW_ROWS = 8  # fetched at once from drivers that hop to a thread or to the event loop for each fetch
_FEW_BYTES = 256 * 1024  # of rows that an asynchronous fetch gathers
_OPTIONS = {"stream_results": True, "max_row_buffer": 1}


class Cut:
    """Where a page ends: takes raw rows until one does not fit.

    Args:
        room: bytes.
        base: of each row, beside its values.
        rows: that are there already, so that a row that is larger than the room may not pass.
        size: the bytes of a raw row's values.
    """

    def __init__(self, room: int, base: int, size: Callable[[Row], int], *, may_pass: bool) -> None:
        self.room, self.base, self.size, self.may_pass = room, base, size, may_pass
        self.used = 0
        self.is_full = False

    def take(self, rows: Iterator[Row]) -> list[Row]:
        """Rows that fit; the first one passes alone where nothing else is there."""
        taken: list[Row] = []
        for row in rows:
            need = self.base + self.size(row)
            if self.used + need > self.room and (taken or not self.may_pass):
                self.is_full = True
                break
            self.used += need
            taken.append(row)
        return taken


@contextlib.contextmanager
def opened(connection: Any, execute: Callable[[dict[str, Any]], Any], *, is_users: bool, cut: Cut | None = None) -> Iterator[Any]:
    """The result of a statement, whose rows are still with the driver.

    Args:
        connection: SQLAlchemy's.
        execute: runs the statement with these execution options.
        is_users: whether the transaction is the user's, so that it must come through unharmed.
        cut: where the ORM is to stop fetching.
    """
    from sqlalchemy import event

    strategy = _strategy(cut)

    def executed(_: Any, __: Any, ___: Any, ____: Any, context: Any, _____: Any) -> None:
        event.remove(connection, "after_cursor_execute", executed)  # further statements are the ORM's own
        context.cursor_fetch_strategy = strategy

    with contextlib.ExitStack() as stack:
        stack.enter_context(_row_by_row(connection, is_users=is_users))
        event.listen(connection, "after_cursor_execute", executed)
        try:
            result = execute(dict(_OPTIONS))
        finally:
            if event.contains(connection, "after_cursor_execute", executed):
                event.remove(connection, "after_cursor_execute", executed)
        stack.callback(result.close)
        yield result


def raw_rows(cursor: Any) -> Iterator[Row]:
    """Rows of a driver's cursor, no more of them in memory than must be."""
    if not hasattr(cursor, "_adapt_connection"):
        if hasattr(cursor, "__next__"):  # SQLite's
            return iter(cursor)
        return iter(cursor.fetchone, None)
    fetched = iter(lambda: cursor.fetchmany(FEW_ROWS), [])
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
    driver.server_cursor_factory = _async_cursor() if connection.dialect.is_async else _cursor()
    # A stream that is ended early is cancelled, and that breaks a transaction: the user's goes on from here.
    savepoint = connection.begin_nested() if is_users and not driver.autocommit else None
    try:
        yield
    finally:
        driver.server_cursor_factory = own
        if savepoint is not None and savepoint.is_active:
            savepoint.rollback()


def _cursor() -> Any:
    import psycopg

    class RowByRow(psycopg.Cursor[Any]):
        """A client's cursor that takes single rows from the wire."""

        def __init__(self, connection: Any, name: str = "", **_: Any) -> None:
            del name
            super().__init__(connection)
            self._flow: Any = iter(())

        def execute(self, query: Any, params: Any = None, **_: Any) -> Any:
            flow = self.stream(query, params)
            self._flow = itertools.chain(list(itertools.islice(flow, 1)), flow)  # columns are known by the first row
            self._stream = flow
            return self

        def fetchone(self) -> Any:
            return next(self._flow, None)

        def fetchmany(self, size: int = 0) -> list[Any]:
            return list(itertools.islice(self._flow, size or self.arraysize))

        def fetchall(self) -> list[Any]:
            return list(self._flow)

        def close(self) -> None:
            stream = getattr(self, "_stream", None)
            if stream is not None:
                stream.close()
            super().close()

    return RowByRow


def _async_cursor() -> Any:
    import psycopg

    class RowByRow(psycopg.AsyncCursor[Any]):
        """A client's cursor that takes single rows from the wire."""

        def __init__(self, connection: Any, name: str = "", **_: Any) -> None:
            del name
            super().__init__(connection)
            self._flow: Any = None
            self._ahead: list[Any] = []

        async def execute(self, query: Any, params: Any = None, **_: Any) -> Any:
            self._flow = self.stream(query, params)
            self._ahead = [row async for row in _first(self._flow)]
            return self

        async def fetchone(self) -> Any:
            rows = await self.fetchmany(1)
            return rows[0] if rows else None

        async def fetchmany(self, size: int = 0) -> list[Any]:
            found, self._ahead = self._ahead, []
            size = size or self.arraysize
            held = sum(map(_bytes_of, found))
            while len(found) < size and held < _FEW_BYTES:
                row = await anext(self._flow, None)
                if row is None:
                    break
                held += _bytes_of(row)
                found.append(row)
            return found

        async def fetchall(self) -> list[Any]:
            return [*self._ahead, *[row async for row in self._flow]]

        async def close(self) -> None:
            if self._flow is not None:
                await self._flow.aclose()
            await super().close()

    return RowByRow


async def _first(flow: Any) -> Any:
    row = await anext(flow, None)
    if row is not None:
        yield row


def _bytes_of(row: Row) -> int:
    return sum(value.__sizeof__() for value in row)
