"""What a statement gives: rows as dicts, as lines of JSON, or as Arrow batches, streamed.

Covers:     the public `Result`, its three forms, limits of rows, bytes and seconds, ending early.
Not here:   where rows come from (`live.selecting`).
Holds:      one page of rows, which its source has promised.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Self, final

import msgspec

from flatwater import errors, limits
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
        self._pages: Generator[Sequence[Row]] | None = None
        self._page: Iterator[Row] = iter(())
        self._is_taken = False

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        while (row := next(self._page, _END)) is _END:
            self._page = iter(next(self._all()))
        found: Row = row
        return found

    def __aiter__(self) -> AsyncIterator[Row]:
        return self

    async def __anext__(self) -> Row:
        import asyncio

        while (row := next(self._page, _END)) is _END:
            page = await asyncio.to_thread(next, self._all(), None)  # what is read needs no thread
            if page is None:
                raise StopAsyncIteration
            self._page = iter(page)
        found: Row = row
        return found

    def _all(self) -> Generator[Sequence[Row]]:
        if self._pages is None:
            self._pages = _dicts(self._take(), self._limit)
        return self._pages

    def json(self) -> Iterator[bytes]:
        """The rows as lines of JSON, each with its newline."""
        return _lines(self._take(), self._limit)

    def arrow(self) -> Iterator[Any]:
        """The rows as `pyarrow.RecordBatch`es."""
        return _batches(self._take(), self._limit)

    def close(self) -> None:
        """End; more than once does no harm."""
        rows, self._rows = self._rows, None
        self._is_taken = True
        self._page = iter(())
        if self._pages is not None:
            self._pages.close()
        if rows is not None:
            _end(rows)

    def _take(self) -> Rows | None:
        if self._is_taken and self._rows is not None:
            raise errors.UsageError("rows of a result are read once.", hint="Ask again, or keep them in a list.")
        self._is_taken = True
        return self._rows

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


# What reads rows does not know the result: where that is dropped, they end at once, and not when cycles are collected.


def _dicts(rows: Rows | None, limit: Limits | None) -> Generator[Sequence[Row]]:
    if rows is None:
        return
    try:
        yield from _within(rows.dicts(), limit)
    finally:
        _end(rows)


def _lines(rows: Rows | None, limit: Limits | None) -> Iterator[bytes]:
    if rows is None:
        return
    try:
        if rows.lines is None:
            for page in _within(rows.dicts(), limit):
                for row in page:
                    yield _encode(row) + b"\n"
        else:
            for lines in _within(rows.lines(), limit, len):
                for line in lines:
                    yield line + b"\n"
    finally:
        _end(rows)


def _batches(rows: Rows | None, limit: Limits | None) -> Iterator[Any]:
    if rows is None:
        return
    try:
        if rows.arrow is None:
            raise errors.UsageError("this statement gives no Arrow batches.", hint="Take its rows: they are few.")
        yield from _within(rows.arrow(), limit)
    finally:
        _end(rows)


def _end(rows: Rows) -> None:
    if rows.close is not None:
        rows.close()


def _within(pages: Iterable[Any], limit: Limits | None, size: Callable[[Any], int] | None = None) -> Iterator[Any]:
    """Pages, until a limit of the user's is reached."""
    if limit is None:
        yield from pages
        return
    until = time.monotonic() + limit.seconds
    rows = held = 0
    for page in pages:
        rows += len(page)
        if limit.bytes < limits.LIVE_USER_BYTES:
            held += sum(map(size or _size, page.to_pylist() if hasattr(page, "to_pylist") else page))
        for what, value, most in (
            ("rows", rows, limit.rows),
            ("bytes", held, limit.bytes),
            ("seconds", time.monotonic(), until),
        ):
            if value > most:
                raise _reached(what, getattr(limit, what))
        yield page


def _size(row: Row) -> int:
    return len(_encode(row))


def _reached(what: str, limit: int) -> errors.LimitReached:
    return errors.LimitReached(
        f"the statement gives more {what} than the user may have: {limit:,}.",
        what=what, limit=limit, hint=f"Ask for less; a dba may ALTER USER ... {what.upper()} <more>.",
    )  # fmt: skip
