"""What a client says and is told, without a connection: statements as bodies, errors as exceptions, settings.

Covers:     parameters as JSON, statements that change nothing, errors by their codes, arguments of clients.
Not here:   sending (`client.client`, `client.asynchronous`), reading rows (`client.results`), trying again (`client.retrying`).
Holds:      nothing.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
import ssl
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from flatwater import errors, limits
from flatwater.live.access import AccessDenied
from flatwater.live.client import certificates
from flatwater.live.refusals import Conflict, Unauthenticated

JSON, LINES, ARROW = "application/json", "application/x-ndjson", "application/vnd.apache.arrow.stream"

_VALUES = (bool, int, float, decimal.Decimal, str, bytes, bytearray, memoryview, dt.date, uuid.UUID, dict, list, tuple, type(None))  # fmt: skip
_encode = msgspec.json.Encoder().encode
_SPACE = r"(?>\s|--[^\r\n]*\r?\n|/\*(?:(?!/\*).)*?\*/|\()*+"  # a comment in a comment is in doubt: no SELECT is seen
_AS_USER = re.compile(rf"{_SPACE}EXECUTE\s+AS\s+(?:USER\s+)?'(?:[^']|'')*'\s*\(", re.IGNORECASE | re.DOTALL)
_READS = re.compile(rf"{_SPACE}(SELECT|VALUES|WITH)\b", re.IGNORECASE | re.DOTALL)
_CHANGES = re.compile(r"\b(INSERT|UPDATE|DELETE|MERGE|INTO)\b", re.IGNORECASE)


class Statement(NamedTuple):
    """A statement as it is sent.

    Attributes:
        body: of the request.
        reads: it changes nothing, for sure: it may be said twice.
    """

    body: bytes
    reads: bool


def statement(text: str, params: Sequence[Any] = ()) -> Statement:
    """A statement and its parameters.

    Raises:
        UsageError: they cannot be sent.
    """
    body = encoded({"sql": text, "params": values(text, params)})
    if len(body) > limits.SERVE_BODY_BYTES:
        raise errors.UsageError(
            f"a statement of {len(body):,} bytes is too large.",
            hint=f"A server takes {limits.SERVE_BODY_BYTES:,}; write rows in several statements.",
        )
    return Statement(body, reads(text))


def reads(text: str) -> bool:
    """Whether a statement changes nothing, for sure.

    >>> reads("select 1"), reads("WITH a AS (SELECT 1) DELETE FROM b"), reads("EXECUTE AS USER 'ada' (SELECT 1)")
    (True, False, True)
    """
    inside = _AS_USER.match(text)
    found = _READS.match(text, inside.end() if inside else 0)
    return found is not None and (found[1].upper() != "WITH" or _CHANGES.search(text) is None)


def values(text: str, params: Sequence[Any]) -> list[Any]:
    """Parameters that JSON can carry, with texts for those that it has no form for."""
    if not isinstance(text, str):
        raise errors.UsageError(f"{text!r:.80} is no statement.", hint="Pass a text.")
    if isinstance(params, str | bytes | Mapping) or not isinstance(params, Sequence):
        raise errors.UsageError("params is no list of values.", hint="Pass one value for each ?, as in [1, 'a'].")
    for number, value in enumerate(params, 1):
        if not isinstance(value, _VALUES):
            raise errors.UsageError(
                f"parameter {number} is a {type(value).__name__}.",
                hint="A value is a bool, int, float, Decimal, str, bytes, date, datetime, UUID or None, and what JSON has.",
            )
        if isinstance(value, float) and not math.isfinite(value):
            raise errors.UsageError(f"parameter {number} is {value}: JSON has no such number.")
    return [_number(value) if isinstance(value, decimal.Decimal) else value for value in params]


def _number(value: decimal.Decimal) -> float | str:
    """A number where that is exact, so that it can be compared; a text, which fits into a DECIMAL, for others."""
    near = float(value)
    return near if math.isfinite(near) and decimal.Decimal(repr(near)) == value else str(value)


def encoded(message: Any) -> bytes:
    """A message as JSON: bytes in base64, dates and times as in ISO 8601, UUIDs as texts.

    Raises:
        UsageError: something in it has no form in JSON.
    """
    try:
        return _encode(message)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise errors.UsageError(f"a parameter cannot be sent: {error!s:.200}.") from error


# --- errors -----------------------------------------------------------------------------------------------------------


class Told(msgspec.Struct):
    """An error as a server tells it."""

    code: str = ""
    message: str = ""
    hint: str = ""


class _Refusal(msgspec.Struct):
    error: Told


_KINDS: Final[dict[str, Callable[..., errors.FlatwaterError]]] = {
    "usage": errors.UsageError,
    "unauthenticated": Unauthenticated,
    "access_denied": AccessDenied,
    "conflict": Conflict,
    "limit_reached": errors.LimitReached,
    "budget_exceeded": lambda message, hint: errors.BudgetExceeded(message, asked=0, held=0, limit=0, hint=hint),
}
_STATUSES: Final = {
    400: "usage", 401: "unauthenticated", 403: "access_denied", 404: "usage", 405: "usage", 406: "usage", 409: "conflict",
    413: "usage", 415: "usage", 421: "usage", 429: "limit_reached", 503: "budget_exceeded",
}  # fmt: skip


def error_of(told: Told) -> errors.FlatwaterError:
    """The exception that `fw.Database` raises for the same; BrokenError for what is not known."""
    message = told.message or "the server failed."
    return _KINDS.get(told.code, errors.BrokenError)(message, hint=told.hint)


def refusal(status: int, body: bytes) -> errors.FlatwaterError:
    """The error of a response, whoever made it."""
    try:
        return error_of(msgspec.json.decode(body, type=_Refusal).error)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        code = _STATUSES.get(status, "")
        return error_of(Told(code, f"the server answers {status}, and says nothing that is understood."))


def no_sense(what: str) -> errors.BrokenError:
    """A server that does not speak the protocol."""
    return errors.BrokenError(f"the server's {what}.", hint="Is a flatwater server there, and of this version?")


# --- settings ---------------------------------------------------------------------------------------------------------


class Settings(NamedTuple):
    """What a client was told: see `client.client.Client`."""

    url: str
    token: str | Callable[[], Any] | None
    user: str | None
    password: str | None
    timeout_s: float
    row_bytes: int
    tls: ssl.SSLContext | None

    @property
    def live_url(self) -> str:
        """Of live queries."""
        return f"{self.url.replace('http', 'ws', 1)}/v1/live"

    @property
    def message_bytes(self) -> int:
        """Of the largest message of a live query: a row and what it was, and words."""
        return 2 * self.row_bytes + 64 * 1024


def settings(
    url: str, token: str | Callable[[], Any] | None, user: str | None, password: str | None,
    *, timeout_s: float, row_bytes: str | int, verify: Any,
) -> Settings:  # fmt: skip
    """Arguments of a client, looked at.

    Raises:
        UsageError: they make no sense.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except (ValueError, TypeError, AttributeError):
        parts, port = urlsplit(""), 0
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0 or parts.query or parts.fragment:
        raise errors.UsageError("this is no address of a server.", hint="Such as http://127.0.0.1:8642.")
    if parts.username is not None or parts.password is not None:
        raise errors.UsageError("a password does not belong into an address.", hint="Pass user= and password=.")
    if (user is None) is not (password is None) or (token is not None and user is not None):
        raise errors.UsageError("who is it?", hint="Pass token=, or user= and password=.")
    if token is not None and not callable(token) and (not isinstance(token, str) or not token.isascii() or not token):
        raise errors.UsageError("token is none.", hint="Pass a text, or what gives one.")
    if not isinstance(timeout_s, int | float) or not 0 < timeout_s <= limits.WAIT_S_MAX:
        raise errors.UsageError(f"timeout_s={timeout_s!r:.40} is no time.", hint="Pass seconds.")
    tls = certificates.context_of(verify) if parts.scheme == "https" else None
    size = errors.bytes_of(row_bytes, what="row_bytes", least=limits.SERVE_PAGE_BYTES)
    return Settings(parts.geturl().rstrip("/"), token, user, password, float(timeout_s), size, tls)
