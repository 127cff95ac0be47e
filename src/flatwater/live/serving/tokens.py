"""Tokens: who somebody is, signed by the database, for an hour; and the one of the first start.

Covers:     the key, making and checking tokens, tokens that end with a password, the one-time token.
Not here:   passwords (`serving.passwords`), what a role may (`live.access`).
Holds:      the key, and `SERVE_TOKENS_BYTES` of what tokens said that were checked.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, final

import jwt

from flatwater import errors, limits
from flatwater.live.cache import Cache
from flatwater.live.refusals import Unauthenticated
from flatwater.store.directory import write_whole

if TYPE_CHECKING:
    from flatwater.live.catalog import Catalog

_FILE = "server.key"
_ALGORITHM = "HS256"
_CLAIMS_BYTES = 300  # of what a token says, with its digest


class Claims(NamedTuple):
    """What a token says.

    Attributes:
        user: whose it is.
        stamp: of the user when it was made; 0 for one whom nobody has made.
        expires: seconds since 1970.
    """

    user: str
    stamp: int
    expires: float


@final
class Tokens:
    """Of one database. Thread-safe.

    A token holds while its user is as he was: making, dropping, or giving him another password ends it. One for a user whom nobody
    has made ends when somebody makes him.

    Args:
        path: of the database's directory, where the key is.
        catalog: users.
        ttl_s: seconds until a token ends, unless told otherwise.
        clock: seconds since 1970.

    Raises:
        BrokenError: the key cannot be read or made, or others may read it.
    """

    def __init__(
        self, path: str, catalog: Catalog, ttl_s: int = limits.SERVE_TOKEN_S, clock: Callable[[], float] = time.time
    ) -> None:
        self._catalog, self._ttl_s, self._clock = catalog, ttl_s, clock
        self._known: Cache[Claims] = Cache(limits.SERVE_TOKENS_BYTES)  # what was read, by a digest of the token
        self._key = _key(os.path.join(path, _FILE))

    def issue(self, user: str, stamp: int, seconds: int | None = None) -> tuple[str, int]:
        """A token, and the seconds until it ends.

        Raises:
            UsageError: it would end at once, or never.
        """
        lasts = self._ttl_s if seconds is None else seconds
        if type(lasts) is not int or not 0 < lasts <= limits.SERVE_TOKEN_S_MAX:
            raise errors.UsageError(
                f"a token of {lasts!r:.40} seconds makes no sense.", hint=f"1 to {limits.SERVE_TOKEN_S_MAX:,} do."
            )
        claims = {"sub": user, "stamp": stamp, "exp": int(self._clock()) + lasts}
        return jwt.encode(claims, self._key, _ALGORITHM), lasts

    def check(self, token: str) -> Claims:
        """What a token says.

        Raises:
            Unauthenticated: it does not hold; why is not said, but for one that has ended.
        """
        digest = hashlib.sha256(token[: limits.SERVE_TOKEN_BYTES_MAX + 1].encode("utf-8", "surrogatepass")).digest()
        claims = self._known.get(digest)
        if claims is None:
            claims = self._read(token)
            self._known.put(digest, claims, _CLAIMS_BYTES)
        if claims.expires <= self._clock():
            raise Unauthenticated("the token has ended.", hint="Log in again.")
        record = self._catalog.user(claims.user)
        if claims.stamp != (0 if record is None else record.stamp):
            raise Unauthenticated("the token does not hold any more.", hint="Log in again.")
        return claims

    def _read(self, token: str) -> Claims:
        """What a token says that we have signed."""
        try:
            if len(token) > limits.SERVE_TOKEN_BYTES_MAX:
                raise jwt.InvalidTokenError
            said = jwt.decode(
                token, self._key, [_ALGORITHM],
                options={"require": ["sub", "exp", "stamp"], "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )  # fmt: skip
            claims = Claims(said["sub"], said["stamp"], said["exp"])
            if type(claims.user) is not str or type(claims.stamp) is not int or type(claims.expires) is not int:
                raise jwt.InvalidTokenError
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise Unauthenticated("the token does not hold.", hint="Log in again.") from error
        return claims


def _key(file: str) -> bytes:
    """The key of a database, made where there is none.

    Raises:
        BrokenError: it cannot be read or made, others may read it, or it is none.
    """
    try:
        if not os.path.lexists(file):
            write_whole(file, secrets.token_bytes(limits.SERVE_KEY_BYTES), 0o600)
        with open(file, "rb", opener=_no_link) as opened:
            mode = os.fstat(opened.fileno()).st_mode
            key = opened.read(limits.SERVE_KEY_BYTES + 1)
    except OSError as error:
        raise errors.BrokenError(
            f"{file} cannot be read or made: {error.strerror}.", hint="Look at its rights."
        ) from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise errors.BrokenError(
            f"{file} may be read by others: whoever reads it is every user.",
            hint="chmod 600 it, or remove it: all tokens end then.",
        )
    if len(key) != limits.SERVE_KEY_BYTES:
        raise errors.BrokenError(f"{file} is no key.", hint="Remove it: another one is made, and all tokens end.")
    return key


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))


@final
class OneTime:
    """A token that holds once, kept in memory alone. Thread-safe.

    Attributes:
        text: what it is.
    """

    def __init__(self) -> None:
        self.text = secrets.token_urlsafe(24)
        self._digest: bytes | None = hashlib.sha256(self.text.encode()).digest()
        self._wrong = 0
        self._lock = threading.Lock()

    def take(self, text: str) -> bool:
        """Whether it is this one: the first time. After too many others it is gone."""
        given = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            if self._digest is None:
                return False
            if hmac.compare_digest(given, self._digest):
                self._digest = None
                return True
            self._wrong += 1
            if self._wrong >= limits.SERVE_ONE_TIME_TRIES:
                self._digest = None
            return False
