"""Errors that a server has."""

from flatwater import errors
from flatwater.live.refusals import TooManyAttempts, Unauthenticated


def test_they_are_ours():
    """Both are errors of the house, with what to do; too many attempts say when to come again."""
    assert isinstance(Unauthenticated("x"), errors.FlatwaterError)
    error = TooManyAttempts("log-ins failed too often.", retry_s=4, hint="Later.")
    assert isinstance(error, errors.LimitReached)
    assert (error.retry_s, error.what, str(error)) == (4, "log-ins", "log-ins failed too often. Later.")
