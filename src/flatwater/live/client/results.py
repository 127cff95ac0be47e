"""What a statement of a client gives: rows as dicts, as lines of JSON, or as Arrow batches, streamed.

Covers:     results for threads and for coroutines, their forms, ending early, answers that break.
Not here:   requests (`client.client`, `client.asynchronous`), what bytes say (`client.reading`).
Holds:      `CLIENT_RESULT_BYTES`, and three times a row that is longer than a piece of a body.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, Self, final

from flatwater import errors, limits
from flatwater.live.client import reading
from flatwater.live.client.asking import ARROW, JSON, Statement, no_sense

if TYPE_CHECKING:
    import httpx

    from flatwater.budget.budget import Budget


class _Common:
    """What both have: forms, columns, the answer."""

    def __init__(self, statement: Statement, form: str, budget: Budget, row_bytes: int) -> None:
        self.columns: tuple[str, ...] = ()
        self.count = -1
        self._statement, self._form, self._row_bytes = statement, form, row_bytes
        self._rows: Any = None  # under way
        self._whole: reading.Whole | None = None
        self._is_taken = False
        self._response: httpx.Response | None = None
        self._reservation = budget.reserve(limits.CLIENT_RESULT_BYTES, "client.results")

    def _take(self, form: str | None = None) -> None:
        if self._is_taken:
            raise errors.UsageError("rows of a result are read once.", hint="Ask again, or keep them in a list.")
        if form == ARROW and not self._statement.reads:
            raise errors.UsageError("this statement gives no Arrow batches.", hint="Take its rows: they are few.")
        if form is None and self._form == ARROW:
            raise errors.UsageError("Arrow was asked for.", hint="Read .arrow(), or ask without arrow=True.")
        self._is_taken = True

    def _took(self, body: bytes) -> None:
        self._whole = found = reading.whole_of(body)
        self.columns = tuple(found.columns)
        self.count = -1 if found.count is None else found.count

    def _has_rows(self) -> bool:
        return self._whole is not None and bool(self._whole.rows)

    def _row(self, line: bytes) -> dict[str, Any]:
        row = reading.row_of(line)
        if not self.columns:
            self.columns = tuple(row)
        return row

    def __repr__(self) -> str:
        told = f"{self.count} rows changed" if self.count >= 0 else ", ".join(self.columns)
        return f"<{type(self).__name__}: {told}>"


@final
class ClientResult(_Common):
    """Rows of one statement, once: an iterator of dicts and a context manager. One thread at a time.

    `json()` and `arrow()` give the same rows in other forms, instead. Behind the last row, by `close()`, and when it is
    dropped, its connection and its bytes are given back.

    Attributes:
        columns: names, in their order; where they are longer than 4 KiB, empty until a first row was read.
        count: rows that an INSERT, UPDATE or DELETE changed; -1 for others.
    """

    def __init__(
        self, ask: Callable[[Statement, str], httpx.Response], statement: Statement, form: str, budget: Budget, row_bytes: int
    ) -> None:  # fmt: skip
        super().__init__(statement, form, budget, row_bytes)
        self._ask = ask
        try:
            self._open(form)
        except BaseException:
            self.close()
            raise

    def _open(self, form: str) -> None:
        import httpx

        self._response = response = self._ask(self._statement, form)
        reading.checked(response.headers, form)
        self.columns = reading.columns_of(response.headers)
        if form == JSON:
            parts, size, own = [], 0, self._reservation.bytes
            try:
                for part in response.iter_raw():
                    size += len(part)
                    _bounded(size)
                    self._reservation.resize(own + 2 * size)
                    parts.append(part)
            except httpx.HTTPError as error:
                raise _cut(error, self._statement) from error
            self._took(b"".join(parts))
            response.close()
            if not self._has_rows():
                self._reservation.release()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self

    def __next__(self) -> dict[str, Any]:
        if self._rows is None:
            self._take()
            self._rows = self._lines()
        return self._row(next(self._rows))

    def json(self) -> Iterator[bytes]:
        """The rows as lines of JSON, each with its newline."""
        self._take()
        self._rows = rows = self._lines()
        return rows

    def _lines(self) -> Iterator[bytes]:
        import httpx

        try:
            if self._whole is not None:
                for raw in self._whole.rows:
                    yield bytes(raw) + b"\n"
            elif self._response is not None:
                lines = reading.Lines(self._row_bytes, self._reservation)
                for part in self._response.iter_raw():
                    yield from lines.feed(part)
                lines.end()
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise _cut(error, self._statement) from error
        finally:
            self.close()

    def arrow(self) -> Iterator[Any]:
        """The rows as `pyarrow.RecordBatch`es. Where they were not asked for with `arrow=True`, the server is asked again."""
        self._take(ARROW)
        if self._form != ARROW and self._response is not None:
            self._response.close()
            self._open(ARROW)
        self._rows = rows = self._batches()
        return rows

    def _batches(self) -> Iterator[Any]:
        if self._response is None:
            return
        pieces = self._response.iter_raw()
        try:
            yield from reading.opened_arrow(reading.Parts(lambda: next(pieces, b""), self._reservation))
            if next(pieces, b""):  # to the end of the body: a stream may be cut behind its last batch
                raise no_sense("stream goes on behind its end")  # noqa: TRY301
        except errors.MissingExtra:
            raise
        except Exception as error:
            raise reading.arrow_failed(error) from error
        finally:
            self.close()

    def close(self) -> None:
        """End; more than once does no harm."""
        response, self._response = self._response, None
        self._is_taken, self._whole = True, None
        self._rows = iter(())
        if response is not None:
            response.close()
        self._reservation.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_ask"):
            self.close()


@final
class AsyncClientResult(_Common):
    """As `ClientResult`, for coroutines. What is not read to its end is to be closed."""

    def __init__(
        self, ask: Callable[[Statement, str], Awaitable[httpx.Response]], statement: Statement, form: str, budget: Budget, row_bytes: int
    ) -> None:  # fmt: skip
        super().__init__(statement, form, budget, row_bytes)
        self._ask = ask

    async def open(self, form: str) -> Self:
        """Have it done."""
        try:
            await self._open(form)
        except BaseException:
            await self.close()
            raise
        return self

    async def _open(self, form: str) -> None:
        import httpx

        self._response = response = await self._ask(self._statement, form)
        reading.checked(response.headers, form)
        self.columns = reading.columns_of(response.headers)
        if form == JSON:
            parts, size, own = [], 0, self._reservation.bytes
            try:
                async for part in response.aiter_raw():
                    size += len(part)
                    _bounded(size)
                    self._reservation.resize(own + 2 * size)
                    parts.append(part)
            except httpx.HTTPError as error:
                raise _cut(error, self._statement) from error
            self._took(b"".join(parts))
            await response.aclose()
            if not self._has_rows():
                self._reservation.release()

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        return self

    async def __anext__(self) -> dict[str, Any]:
        if self._rows is None:
            self._take()
            self._rows = self._lines()
        return self._row(await anext(self._rows))

    def json(self) -> AsyncIterator[bytes]:
        """The rows as lines of JSON, each with its newline."""
        self._take()
        self._rows = rows = self._lines()
        return rows

    async def _lines(self) -> AsyncIterator[bytes]:
        import httpx

        try:
            if self._whole is not None:
                for raw in self._whole.rows:
                    yield bytes(raw) + b"\n"
            elif self._response is not None:
                lines = reading.Lines(self._row_bytes, self._reservation)
                async for part in self._response.aiter_raw():
                    for line in lines.feed(part):
                        yield line
                lines.end()
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise _cut(error, self._statement) from error
        finally:
            await self.close()

    async def arrow(self) -> AsyncIterator[Any]:
        """The rows as `pyarrow.RecordBatch`es, decoded in a thread."""
        import asyncio

        self._take(ARROW)
        if self._form != ARROW and self._response is not None:
            await self._response.aclose()
            await self._open(ARROW)
        if self._response is None:
            return
        loop, pieces = asyncio.get_running_loop(), self._response.aiter_raw()

        async def piece() -> bytes:
            return await anext(pieces, b"")

        def take() -> bytes:
            return asyncio.run_coroutine_threadsafe(piece(), loop).result()

        try:
            reader = await asyncio.to_thread(reading.opened_arrow, reading.Parts(take, self._reservation))
            while (batch := await asyncio.to_thread(next, iter(reader), None)) is not None:
                yield batch
            if await piece():
                raise no_sense("stream goes on behind its end")  # noqa: TRY301
        except errors.MissingExtra:
            raise
        except Exception as error:
            raise reading.arrow_failed(error) from error
        finally:
            await self.close()

    async def close(self) -> None:
        """End; more than once does no harm."""
        response, self._response = self._response, None
        self._is_taken, self._whole = True, None
        self._rows = _nothing()
        if response is not None:
            await response.aclose()
        self._reservation.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __del__(self) -> None:
        if hasattr(self, "_reservation"):
            self._reservation.release()


async def _nothing() -> AsyncIterator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for line in nothing:
        yield line


def _bounded(size: int) -> None:
    if size > limits.CLIENT_ANSWER_BYTES:
        raise reading.too_long(
            "CLIENT_ANSWER_BYTES",
            limits.CLIENT_ANSWER_BYTES,
            "It is an answer to no SELECT, which is read whole.",
        )


def _cut(error: Exception, statement: Statement) -> errors.BrokenError:
    hint = "Ask again." if statement.reads else "Whether the statement was done is not known."
    return errors.BrokenError(f"{reading.CUT[:-1]} ({error!s:.80}).", hint=hint)
