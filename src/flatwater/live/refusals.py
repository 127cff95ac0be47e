"""Errors that a server has and an embedded database has not.

Covers:     who is not who he says, too many attempts.
Not here:   the errors of all floors (`errors`), roles (`live.access`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import errors


class Unauthenticated(errors.FlatwaterError):
    """Nobody said who he is, or not so that it holds."""

    code, status = "unauthenticated", 401


class TooManyAttempts(errors.LimitReached):
    """Log-ins failed too often.

    Attributes:
        retry_s: seconds until the next attempt is looked at.
    """

    def __init__(self, message: str, *, retry_s: float, hint: str = "") -> None:
        super().__init__(message, what="log-ins", hint=hint)
        self.retry_s = retry_s
