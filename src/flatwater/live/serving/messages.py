"""Messages of live queries as JSON, and errors as clients get them.

Covers:     what a client may say, what the server says, codes and statuses of errors.
Not here:   frames (`serving.frames`), what a message does (`serving.connection`).
Holds:      nothing.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from flatwater import errors, limits
from flatwater.live.access import AccessDenied
from flatwater.live.refusals import Conflict

Id = int | Annotated[str, msgspec.Meta(max_length=limits.SERVE_ID_CHARS)]

NORMAL, RESTART, LATER = 1000, 1012, 1013

encode = msgspec.json.Encoder().encode


class Authenticate(msgspec.Struct, tag="authenticate", tag_field="type"):
    """Who it is."""

    token: str


class Subscribe(msgspec.Struct, tag="subscribe", tag_field="type"):
    """Follow the rows of a query."""

    id: Id
    sql: str
    params: list[Any] = []
    last_rows: int | None = None
    since: int | None = None


class Unsubscribe(msgspec.Struct, tag="unsubscribe", tag_field="type"):
    """Follow them no longer."""

    id: Id


class Ping(msgspec.Struct, tag="ping", tag_field="type"):
    """Say that you are there."""


Said = Authenticate | Subscribe | Unsubscribe | Ping
_decoder: msgspec.json.Decoder[Said] = msgspec.json.Decoder(Said)


def said(text: bytes) -> Said:
    """What a client says.

    Raises:
        UsageError: it is no JSON of a known type.
    """
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise errors.UsageError(
            f"a message is not understood: {error!s:.100}", hint="See docs/live-protocol.md."
        ) from error


_CODES: Final[tuple[tuple[type[errors.FlatwaterError], str, int], ...]] = (
    (AccessDenied, "access_denied", 403),
    (Conflict, "conflict", 409),
    (errors.LimitReached, "limit_reached", 429),
    (errors.BudgetExceeded, "budget_exceeded", 503),
    (errors.UsageError, "usage", 400),
    (errors.MissingExtra, "broken", 500),
    (errors.FlatwaterError, "broken", 500),
)


def told(error: BaseException) -> tuple[int, dict[str, str]]:
    """The status of HTTP and the fields of an error. What is no error of ours says nothing about the inside."""
    code = getattr(error, "code", None)
    status = getattr(error, "status", None)
    if isinstance(error, errors.FlatwaterError):
        if code is None or status is None:
            code, status = next((code, status) for kind, code, status in _CODES if isinstance(error, kind))
        return status, {"code": code, "message": str(error.args[0]), "hint": error.hint}
    return 500, {"code": "broken", "message": "the server failed.", "hint": "Its log says how."}
