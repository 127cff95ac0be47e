"""A place in a table as a string: opaque, signed, versioned, and good for one query only.

Covers:     writing and reading tokens, the secret they are signed with.
Not here:   what a place is for (`tables.reading`, `tables.table`).
Holds:      nothing; the secret is 32 bytes.

A token is `base64url(version, fingerprint of the query, values, HMAC-SHA256)`. It is signed, not encrypted: whoever has one can
read the key values inside, and cannot change them.

The secret is, in this order: the `secret=` of the table, the environment's FLATWATER_SECRET, a file of 32 random bytes
in the user's state directory, made when first needed and readable by that user alone. Processes on several machines
that exchange tokens need one of the first two.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from flatwater import errors

VERSION = 1
SECRET_BYTES_MIN = 16  # of a secret that a user gives
TOKEN_CHARS_MAX = (
    64 * 1024
)  # longer ones are refused unread: a key of text may be long, a token is none of a page's rows
_MAC_BYTES = 16
_FINGERPRINT_BYTES = 16
_ENVIRONMENT = "FLATWATER_SECRET"

Values = tuple[object, ...]


class TokenRefused(errors.UsageError):
    """A token is damaged, of another query, of another secret, or of a later version. Nothing was read."""


_PACK: dict[type, tuple[str, Callable[[object], object]]] = {
    bytes: ("b", lambda value: value),
    bytearray: ("b", bytes),  # type: ignore[dict-item]
    memoryview: ("b", bytes),  # type: ignore[dict-item]
    datetime: ("t", lambda value: value.isoformat()),  # type: ignore[attr-defined]
    date: ("d", lambda value: value.isoformat()),  # type: ignore[attr-defined]
    time: ("h", lambda value: value.isoformat()),  # type: ignore[attr-defined]
    timedelta: ("s", lambda value: [value.days, value.seconds, value.microseconds]),  # type: ignore[attr-defined]
    Decimal: ("n", str),
    UUID: ("u", lambda value: value.bytes),  # type: ignore[attr-defined]
}
_UNPACK: dict[str, Callable[[object], object]] = {
    "b": lambda value: value,
    "t": lambda value: datetime.fromisoformat(str(value)),
    "d": lambda value: date.fromisoformat(str(value)),
    "h": lambda value: time.fromisoformat(str(value)),
    "s": lambda value: timedelta(*value),  # type: ignore[misc]
    "n": lambda value: Decimal(str(value)),
    "u": lambda value: UUID(bytes=value),  # type: ignore[arg-type]
    "i": lambda value: int(str(value)),
}
_PLAIN: tuple[Any, ...] = (str, int, float, bool, type(None))
_INT_MAX = 2**63


def fingerprint(*parts: object) -> bytes:
    """16 bytes that are the same for the same query only."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).digest()[:_FINGERPRINT_BYTES]


def write(secret: bytes, query: bytes, position: Values, bound: Values | None) -> str:
    """A token for a place.

    Args:
        secret: to sign with.
        query: the query's fingerprint.
        position: the key of the last row read; empty before the first.
        bound: the key that the pass ends with; None where it has no end of its own.

    Raises:
        UsageError: a key value of a type that has no form in a token; names it.
    """
    body = msgspec.msgpack.encode([VERSION, query, _packed(position), None if bound is None else _packed(bound)])
    return base64.urlsafe_b64encode(body + _mac(secret, body)).rstrip(b"=").decode("ascii")


def read(secret: bytes, query: bytes, token: object) -> tuple[Values, Values | None]:
    """The place in a token: position and bound, as they were given to `write`.

    Raises:
        TokenRefused: with the reason.
    """
    if not isinstance(token, str) or not token.isascii() or len(token) > TOKEN_CHARS_MAX:
        raise TokenRefused(f"{_shown(token)} is no token.", hint="Give what .token was.")
    try:
        whole = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        whole = b""
    body, mac = whole[:-_MAC_BYTES], whole[-_MAC_BYTES:]
    if not body or base64.urlsafe_b64encode(whole).rstrip(b"=").decode("ascii") != token:
        raise TokenRefused(f"{_shown(token)} is no token.", hint="Give what .token was.")
    if not hmac.compare_digest(_mac(secret, body), mac):
        raise TokenRefused(
            "the token was changed, or signed with another secret.",
            hint=f"Give the same secret= (or {_ENVIRONMENT}) to all processes that exchange tokens.",
        )
    parts = msgspec.msgpack.decode(body)  # signed: nobody else wrote it
    if parts[0] != VERSION:
        raise TokenRefused(f"the token is of version {parts[0]}, and this is version {VERSION}.", hint="Start anew.")
    if parts[1] != query:
        raise TokenRefused(
            "the token belongs to another query.",
            hint="Table, select, where, parameters and order_by must be the same as where it came from.",
        )
    return _unpacked(parts[2]), None if parts[3] is None else _unpacked(parts[3])


def secret_of(given: bytes | str | None) -> bytes:
    """The secret to sign with: the one given, the environment's, or this user's own.

    Raises:
        UsageError: the one given is too short to be a secret.
        BrokenError: this user's own can be neither read nor made.
    """
    if given is None:
        given = os.environ.get(_ENVIRONMENT) or None
    if given is not None:
        secret = given.encode() if isinstance(given, str) else bytes(given)
        if len(secret) < SECRET_BYTES_MIN:
            raise errors.UsageError(
                f"a secret of {len(secret)} bytes is too short.",
                hint=f"Take at least {SECRET_BYTES_MIN}, as from secrets.token_bytes(32).",
            )
        return secret
    return _own_secret()


def _own_secret() -> bytes:
    """This user's own secret, made when there is none."""
    home = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    path = os.path.join(home, "flatwater", "token-secret")
    try:
        found = _secret_in(path)
        if found is None:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            fresh = f"{path}.{os.getpid()}.{secrets.token_hex(4)}"
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.write(descriptor, secrets.token_bytes(32))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            try:
                with contextlib.suppress(FileExistsError):  # another process was first: its secret it is
                    os.link(fresh, path)
            finally:
                os.unlink(fresh)
            found = _secret_in(path)
    except OSError as error:
        raise errors.BrokenError(
            f"the secret that signs tokens can be neither read nor made: {error}.",
            hint=f"Give secret= to the table, or set {_ENVIRONMENT}.",
        ) from error
    if found is None or len(found) < SECRET_BYTES_MIN:
        raise errors.BrokenError(f"{path} holds no secret.", hint="Delete it, and a new one is made.")
    return found


def _secret_in(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(1024)
    except FileNotFoundError:
        return None


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, b"flatwater token\0" + body, hashlib.sha256).digest()[:_MAC_BYTES]


def _packed(values: Sequence[object]) -> list[object]:
    return [_pack(value) for value in values]


def _pack(value: object) -> object:
    if isinstance(value, int) and not -_INT_MAX <= value < _INT_MAX:
        return ["i", str(value)]
    if type(value) in _PLAIN:
        return value
    for kind in type(value).__mro__:
        if kind in _PACK:
            tag, pack = _PACK[kind]
            return [tag, pack(value)]
        if kind in _PLAIN:
            return _PLAIN[_PLAIN.index(kind)](value)  # a subclass of str or int: an enumeration, say
    raise errors.UsageError(
        f"a key of type {type(value).__name__} has no form in a token.",
        hint="Order by numbers, text, bytes, dates or UUIDs.",
    )


def _unpacked(values: Sequence[object]) -> Values:
    return tuple(_UNPACK[value[0]](value[1]) if isinstance(value, list) else value for value in values)


def _shown(token: object) -> str:
    text = repr(token)
    return text if len(text) <= 40 else f"{text[:40]}..."  # noqa: PLR2004 - a line of a message
