"""Rows one by one from drivers that would take them by the hundred, and where a page of them ends.

Covers:     psycopg's cursors that ask libpq for single rows, the cut by bytes that ORMs need before they make objects.
Not here:   which library asks for them (its siblings).
Holds:      one row; the rows of a cut page.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from flatwater.source.tables.forms import Row

_FEW_BYTES = 256 * 1024  # of rows that an asynchronous fetch gathers


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


def cursor(base: Any = None) -> Any:
    """A class of psycopg cursors whose `execute` streams; `base` is the one that it stands for."""
    import psycopg

    kind: Any = psycopg.Cursor if base is None else base

    class RowByRow(kind):  # type: ignore[misc]
        """A client's cursor that takes single rows from the wire."""

        def __init__(self, connection: Any, name: str = "", **_: Any) -> None:
            del name
            super().__init__(connection)
            self._flow: Any = iter(())

        def execute(self, query: Any, params: Any = None, **_: Any) -> Any:
            flow = self.stream(query, params)
            first = list(itertools.islice(flow, 1))  # by which the columns are known
            if first:
                self._stream, self._flow = flow, itertools.chain(first, flow)
            else:  # so they are asked for in the plain way, if there is no row
                super().execute(query, params)
                self._flow = iter(super().fetchone, None)
            return self

        def __iter__(self) -> Any:
            return self._flow

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


def async_cursor() -> Any:  # noqa: C901 - a class in a function, whose base is imported when it is needed
    """The same for coroutines."""
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
            row = await anext(self._flow, None)
            self._ahead = [] if row is None else [row]
            if row is None:
                await super().execute(query, params)
                self._flow = _rest(super().fetchone)
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


async def _rest(fetchone: Any) -> Any:
    while (row := await fetchone()) is not None:
        yield row


def _bytes_of(row: Row) -> int:
    return sum(value.__sizeof__() for value in row)
