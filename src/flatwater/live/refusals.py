"""What is refused for a reason of the database's own, as errors that need no library.

Covers:     a row whose key is there, somebody who does not say who he is, too many attempts; the codes with which a connection is closed.
Not here:   roles (`live.access`), errors of all floors (`errors`).
Holds:      nothing.
"""

from __future__ import annotations

from flatwater import errors

NO_MESSAGE, UNAUTHENTICATED, FORBIDDEN, TOO_MANY = 4400, 4401, 4403, 4429  # closing codes of our own


class Conflict(errors.FlatwaterError):
    """A row with this primary key is there. You do not get it with ON CONFLICT."""


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
