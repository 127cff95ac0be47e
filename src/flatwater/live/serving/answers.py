"""A statement's result as the body of a response: JSON, lines of JSON, an Arrow stream; a piece at a time.

Covers:     forms by their media type, pieces of bounded size, the response that sends them, clients who go away.
Not here:   requests (`serving.app`), rows (`live.results`).
Holds:      one piece, at most `SERVE_CHUNK_BYTES` and one row or record batch.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final, final

from starlette.requests import Request
from starlette.responses import Response

from flatwater import errors, limits
from flatwater.live.serving.messages import encode, told

if TYPE_CHECKING:
    from flatwater.live.results import Result

logger = logging.getLogger("flatwater.live")

JSON, LINES, ARROW = "application/json", "application/x-ndjson", "application/vnd.apache.arrow.stream"
COLUMNS = "flatwater-columns"  # a header
FORMS: Final = (JSON, LINES, ARROW)
_ANY: Final = {"*/*": JSON, "application/*": JSON}


def form_of(accept: str) -> str | None:
    """The form that a request accepts first; None if it accepts none.

    >>> form_of("text/html, application/x-ndjson;q=0.9"), form_of(""), form_of("text/html")
    ('application/x-ndjson', 'application/json', None)
    """
    found: list[tuple[float, str]] = []
    for part in accept.lower().split(",") if accept.strip() else ["*/*"]:
        kind, *options = map(str.strip, part.split(";"))
        form = kind if kind in FORMS else _ANY.get(kind)
        quality = next((option[2:] for option in options if option.startswith("q=")), "1")
        try:
            weight = float(quality)
        except ValueError:
            weight = 0.0
        if form is not None and weight > 0:
            found.append((weight, form))
    return max(found, key=lambda each: each[0])[1] if found else None  # the first of those that it likes best


def pieces(result: Result, form: str) -> Iterator[bytes]:
    """The body, in pieces.

    Args:
        result: read once; its caller closes it.
        form: one of `FORMS`.

    Raises:
        FlatwaterError: reading goes wrong, and the form cannot say so.
    """
    return {JSON: _json, LINES: _lines, ARROW: _arrow}[form](result)


def headers(result: Result, form: str) -> dict[str, str]:
    """What is said in front: names of columns as JSON in ASCII, where the body does not say them and they are not too long."""
    if form == JSON or not result.columns:
        return {}
    text = json.dumps(result.columns)
    return {COLUMNS: text} if len(text) <= limits.SERVE_COLUMNS_BYTES else {}


def _lines(result: Result) -> Iterator[bytes]:
    yield from _gathered(result.json(), b"")


def _json(result: Result) -> Iterator[bytes]:
    yield b'{"columns":%s,"rows":[' % encode(list(result.columns))
    lines = result.json()
    error: Exception | None = None
    comma = b""
    while error is None:
        some: list[bytes] = []
        size = 0
        try:
            for line in lines:
                some.append(line[:-1])
                size += len(line)
                if size >= limits.SERVE_CHUNK_BYTES:
                    break
        except Exception as failed:  # noqa: BLE001 - the client is told, whatever it is
            error = failed
        if some:
            yield comma + b",".join(some)
            comma = b","
        elif error is None:
            break
    if error is None:
        yield b'],"count":%s}' % encode(result.count if result.count >= 0 else None)
    else:
        if not isinstance(error, errors.FlatwaterError):
            logger.error("a statement failed in the middle of its rows", exc_info=error)
        yield b'],"count":null,"error":%s}' % encode(told(error)[1])


def _gathered(lines: Iterator[bytes], between: bytes) -> Iterator[bytes]:
    some: list[bytes] = []
    size = 0
    for line in lines:
        some.append(line)
        size += len(line)
        if size >= limits.SERVE_CHUNK_BYTES:
            yield between.join(some)
            some, size = [], 0
    if some:
        yield between.join(some)


def _arrow(result: Result) -> Iterator[bytes]:
    import pyarrow as pa

    sink = io.BytesIO()
    writer: Any = None
    batches = result.arrow()
    first = next(batches, None)
    schema = first.schema if first is not None else pa.schema([(name, pa.null()) for name in result.columns])
    with contextlib.ExitStack() as opened:
        writer = opened.enter_context(pa.ipc.new_stream(sink, schema))
        while first is not None:
            writer.write_batch(first)
            yield _taken(sink)
            first = next(batches, None)
    yield _taken(sink)


def _taken(sink: io.BytesIO) -> bytes:
    taken = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return taken


@final
class Streamed(Response):
    """A response whose pieces are made in a thread, each when the client has taken the one before.

    Args:
        first: pieces that there are.
        rest: those that follow.
        threads: that make them.
        request: of the client, who may go away.
        end: ends the statement, in a thread.
        taken: given back behind it.
        form: the media type.
        headers: more of them.
    """

    def __init__(
        self, first: bytes, rest: Iterator[bytes], threads: ThreadPoolExecutor, request: Request,
        end: Callable[[], None], taken: contextlib.AsyncExitStack, form: str, headers: dict[str, str],
    ) -> None:  # fmt: skip
        super().__init__(media_type=form, headers=headers)
        del self.headers["content-length"]
        self._first, self._rest, self._threads = first, rest, threads
        self._request, self._end, self._taken = request, end, taken

    async def __call__(self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:  # noqa: ARG002 - ASGI
        """Send all of it."""
        loop = asyncio.get_running_loop()
        step = partial(next, self._rest, None)
        try:
            start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            await send(start)
            piece: bytes | None = self._first
            while piece is not None:
                body = {"type": "http.response.body", "body": piece, "more_body": True}
                await asyncio.wait_for(send(body), limits.SERVE_SEND_S)
                if await self._request.is_disconnected():
                    return
                piece = await loop.run_in_executor(self._threads, step)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            try:
                await asyncio.shield(loop.run_in_executor(self._threads, self._end))
            finally:
                await self._taken.aclose()
