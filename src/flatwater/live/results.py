"""What a statement gives: rows as dicts, as lines of JSON, or as Arrow batches, streamed.

Covers:     the public `Result`, its three forms, limits of rows, bytes and seconds, ending early.
Not here:   where rows come from (`live.selecting`).
Holds:      one page of rows, which its source has promised.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Self, final

import msgspec

from flatwater import errors
from flatwater.live.access import Limits
from flatwater.live.schema import Row

_encode = msgspec.json.Encoder().encode
_END: Any = object()


class Rows(NamedTuple):
    """Where rows come from: one of the forms, from which the others are made.

    Attributes:
        dicts: pages of rows.
        lines: pages of rows as JSON, where they stand so; else None.
        arrow: record batches, where they stand so; else None.
        close: ends it.
    """

    dicts: Callable[[], Iterable[Sequence[Row]]]
    lines: Callable[[], Iterable[Sequence[bytes]]] | None = None
    arrow: Callable[[], Iterable[Any]] | None = None
    close: Callable[[], None] | None = None


@final
class Result:
    """Rows of one statement, once: an iterator, an async iterator and a context manager over dicts.

    `json()` and `arrow()` give the same rows in other forms, instead. What holds bytes while rows are read is given back
    at the end, by `close()`, and when it is dropped. One thread or task at a time.

    Attributes:
        columns: names, in their order.
        count: rows that an INSERT, UPDATE or DELETE changed; -1 for others.
    """

    def __init__(
        self, columns: Sequence[str], rows: Rows | None = None, *, count: int = -1, limit: Limits | None = None
    ) -> None:
        self.columns = tuple(columns)
        self.count = count
        self._rows = rows
        self._limit = limit
        self._iterator: Iterator[Row] | None = None
        self._is_taken = False

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        if self._iterator is None:
            self._iterator = self._dicts()
        return next(self._iterator)

    def __aiter__(self) -> AsyncIterator[Row]:
        return self

    async def __anext__(self) -> Row:
        import asyncio

        row = await asyncio.to_thread(next, self, _END)
        if row is _END:
            raise StopAsyncIteration
        made: Row = row
        return made

    def json(self) -> Iterator[bytes]:
        """The rows as lines of JSON, each with its newline."""
        rows = self._take()
        if rows is None:
            return
        try:
            if rows.lines is not None:
                for page in self._within(rows.lines(), len):
                    for line in page:
                        yield line + b"\n"
            else:
                for page in self._within(rows.dicts()):
                    for row in page:
                        yield _encode(row) + b"\n"
        finally:
            self.close()

    def arrow(self) -> Iterator[Any]:
        """The rows as `pyarrow.RecordBatch`es."""
        rows = self._take()
        if rows is None:
            return
        try:
            if rows.arrow is None:
                raise errors.UsageError("this statement gives no Arrow batches.", hint="Take its rows: they are few.")
            yield from rows.arrow()
        finally:
            self.close()

    def close(self) -> None:
        """End; more than once does no harm."""
        rows, self._rows = self._rows, None
        self._is_taken = True
        if rows is not None and rows.close is not None:
            rows.close()

    def _dicts(self) -> Iterator[Row]:
        rows = self._take()
        if rows is None:
            return
        try:
            for page in self._within(rows.dicts()):
                yield from page
        finally:
            self.close()

    def _take(self) -> Rows | None:
        if self._is_taken and self._rows is not None:
            raise errors.UsageError("rows of a result are read once.", hint="Ask again, or keep them in a list.")
        self._is_taken = True
        return self._rows

    def _within(
        self, pages: Iterable[Sequence[Any]], size: Callable[[Any], int] | None = None
    ) -> Iterator[Sequence[Any]]:
        """Pages, until a limit of the user's is reached."""
        limit = self._limit
        if limit is None:
            yield from pages
            return
        until = time.monotonic() + limit.seconds
        rows = held = 0
        for page in pages:
            rows += len(page)
            held += sum(map(size or _size, page)) if limit.bytes < 1 << 40 else 0
            if rows > limit.rows:
                raise _reached("rows", limit.rows)
            if held > limit.bytes:
                raise _reached("bytes", limit.bytes)
            if time.monotonic() > until:
                raise _reached("seconds", limit.seconds)
            yield page

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        told = f"{self.count} rows changed" if self.count >= 0 else ", ".join(self.columns)
        return f"<Result: {told}>"


def _size(row: Row) -> int:
    return len(_encode(row))


def _reached(what: str, limit: int) -> errors.LimitReached:
    return errors.LimitReached(
        f"the statement gives more {what} than the user may have: {limit:,}.",
        what=what, limit=limit, hint=f"Ask for less, or ALTER USER ... {what.upper()} <more>.",
    )  # fmt: skip
