"""Answers of a server to statements, from their bytes as they come: lines of JSON, JSON, parts of Arrow streams.

Covers:     lines that are whole, answers that are cut or no answers, rows as dicts, rows and counts of JSON.
Not here:   results as users have them (`client.results`), requests (`client.client`, `client.asynchronous`).
Holds:      a line that has not arrived in whole, at most `row_bytes`; an answer that is no SELECT's.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, final

import msgspec

from flatwater import errors, limits
from flatwater.live.client.asking import Told, error_of, no_sense

if TYPE_CHECKING:
    from flatwater.budget.reservation import Reservation

CUT = "the server's answer was cut short: rows are missing."


@final
class Lines:
    """Lines of JSON from pieces of any size.

    Args:
        line_bytes_max: of one line.
        reservation: of the result, which grows with a long line.
    """

    def __init__(self, line_bytes_max: int, reservation: Reservation) -> None:
        self._most, self._reservation = line_bytes_max, reservation
        self._own = reservation.bytes
        self._parts: list[bytes] = []  # of a line without its end
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are whole now, each with its newline.

        Raises:
            LimitReached: a line is too long.
        """
        head, newline, rest = data.partition(b"\n")
        if not newline:
            self._keep(data)
            return []
        first = b"".join((*self._parts, head, newline))
        if self._parts:
            self._parts, self._size = [], 0
            self._reservation.resize(self._own)
        whole, newline, rest = rest.rpartition(b"\n")
        if rest:
            self._keep(rest)
        return [first, *(line + b"\n" for line in whole.split(b"\n"))] if newline else [first]

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._most:
            raise too_long("row_bytes", self._most, "Give the client a larger row_bytes.")
        if self._size > limits.SERVE_CHUNK_BYTES:
            self._reservation.resize(self._own + 3 * self._size)  # in parts, joined, and as a row
        self._parts.append(part)

    def end(self) -> None:
        """Nothing follows.

        Raises:
            BrokenError: a line has no end.
        """
        if self._parts:
            raise errors.BrokenError(CUT)


def row_of(line: bytes) -> dict[str, Any]:
    """A row of its JSON."""
    try:
        row = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise no_sense("answer is no JSON") from error
    if not isinstance(row, dict):
        raise no_sense("answer is no row")
    return row


class Whole(msgspec.Struct):
    """An answer of JSON.

    Attributes:
        rows: each as its JSON.
        count: rows that were changed; None where that is not said.
        error: that came behind some rows.
    """

    columns: list[str]
    rows: list[msgspec.Raw]
    count: int | None = None
    error: Told | None = None


def whole_of(body: bytes) -> Whole:
    """An answer that is read whole.

    Raises:
        FlatwaterError: that it ends with.
        BrokenError: it makes no sense.
    """
    try:
        found = msgspec.json.decode(body, type=Whole)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise no_sense("answer is not understood") from error
    if found.error is not None:
        raise error_of(found.error)
    return found


def checked(headers: Mapping[str, str], form: str) -> None:
    """Look whether a body is of this form, and whether its end can be seen.

    Raises:
        BrokenError: it is another one, or it is not known where it ends.
    """
    if headers.get("content-type", "").partition(";")[0].strip().lower() != form:
        raise no_sense(f"answer is of another form than {form}")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise no_sense("answer is compressed, which was not asked for")
    if "content-length" not in headers and "chunked" not in headers.get("transfer-encoding", "").lower():
        raise no_sense("answer has no length, so that nobody would see it cut")


def columns_of(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Names of columns, where the server says them in front; else they come with the first row.

    Raises:
        BrokenError: they are none.
    """
    said = headers.get("flatwater-columns")
    if said is None:
        return ()
    try:
        return msgspec.json.decode(said, type=tuple[str, ...])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise no_sense("header with columns is not understood") from error


def too_long(what: str, most: int, hint: str) -> errors.LimitReached:
    """What came is larger than it may be."""
    return errors.LimitReached(f"an answer has a part of more than {most:,} bytes.", what=what, limit=most, hint=hint)


@final
class Parts(io.RawIOBase):
    """Pieces as a file that is read, for Arrow.

    Args:
        take: the next piece; b"" behind the last one.
        reservation: of the result, which grows with a large part.
    """

    def __init__(self, take: Callable[[], bytes], reservation: Reservation) -> None:
        super().__init__()
        self._take, self._reservation = take, reservation
        self._own = reservation.bytes
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """It is read."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """So many bytes, fewer only at the end."""
        wanted = limits.CLIENT_ARROW_BYTES if size is None or size < 0 else size
        if wanted > limits.CLIENT_ARROW_BYTES:
            raise too_long("CLIENT_ARROW_BYTES", limits.CLIENT_ARROW_BYTES, "Ask for fewer or smaller columns.")
        self._reservation.resize(self._own + (2 * wanted if wanted > limits.SERVE_CHUNK_BYTES and size != -1 else 0))
        found: list[memoryview] = []
        while wanted:
            if not self._rest:
                self._rest = memoryview(self._take())
                if not self._rest:
                    break
            found.append(self._rest[:wanted])
            wanted -= len(found[-1])
            self._rest = self._rest[len(found[-1]) :]
        return b"".join(found)


def opened_arrow(parts: Parts) -> Any:
    """A reader of record batches.

    Raises:
        MissingExtra: there is no pyarrow.
    """
    try:
        import pyarrow as pa
    except ImportError:
        raise errors.MissingExtra("tables", "pyarrow") from None
    return pa.ipc.open_stream(parts)


def arrow_failed(error: Exception) -> errors.FlatwaterError:
    """What becomes of an error of Arrow's in the middle of a stream."""
    if isinstance(error, errors.FlatwaterError):
        return error
    return errors.BrokenError(f"{CUT[:-1]}, or it is no Arrow stream: {error!s:.100}.")
