"""The token of a client: given, made by a function, or got with a password; renewed before it ends.

Covers:     which token holds now, what to ask a server for when none does.
Not here:   asking it (`client.client`, `client.asynchronous`).
Holds:      a token.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, final

import msgspec

from flatwater import limits
from flatwater.live.client.asking import Settings, encoded, no_sense


class _Given(msgspec.Struct):
    token: str
    expires_s: float


@final
class Keys:
    """Tokens of one client. Its users lock.

    Args:
        settings: with a token, a function, or a name and a password.
        clock: seconds that only go on.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._token = settings.token if isinstance(settings.token, str) else ""
        self._until = float("inf")

    @property
    def can_renew(self) -> bool:
        """Whether another token can be had."""
        return callable(self._settings.token) or self._settings.password is not None

    @property
    def function(self) -> Callable[[], Any] | None:
        """What gives tokens."""
        return self._settings.token if callable(self._settings.token) else None

    def known(self, stale: str = "") -> str | None:
        """The token that holds; None if another one is to be had.

        Args:
            stale: one that was refused.
        """
        if not self.can_renew:
            return self._token
        if not self._token or self._token == stale or self._clock() >= self._until:
            return None
        return self._token

    def asks(self, stale: str = "") -> Iterator[tuple[bytes, str]]:
        """Bodies for /v1/token and the tokens beside them, one after another until one is answered."""
        if self._token and self._token != stale:
            yield b"{}", self._token
        yield encoded({"user": self._settings.user, "password": self._settings.password}), ""

    def took(self, answer: bytes) -> str:
        """The token of an answer.

        Raises:
            BrokenError: there is none in it.
        """
        try:
            given = msgspec.json.decode(answer, type=_Given)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise no_sense("answer has no token") from None
        self._until = self._clock() + given.expires_s * limits.CLIENT_RENEW_SHARE
        return self.give(given.token)

    def give(self, token: object) -> str:
        """A token that a function gave.

        Raises:
            BrokenError: it is none.
        """
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise no_sense("token is none")
        self._token = token
        return token
