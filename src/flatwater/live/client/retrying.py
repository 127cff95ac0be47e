"""Trying again, a bounded number of times, with growing pauses that differ from client to client.

Covers:     which failures of a request may be tried again, for how long is waited, what is raised in the end.
Not here:   connections of live queries, which come back for as long as somebody reads (`client.hub`).
Holds:      nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from flatwater import errors, limits
from flatwater.live.client import certificates

if TYPE_CHECKING:
    import httpx
    import tenacity


class Again(Exception):  # noqa: N818 - it is no error: the next try follows
    """What failed may be done again.

    Attributes:
        error: for the last try.
        pause_s: that the server asks for.
    """

    def __init__(self, error: Exception, pause_s: float = 0.0) -> None:
        super().__init__()
        self.error, self.pause_s = error, pause_s


def turns(*, is_async: bool = False, pause_s: float = limits.CLIENT_PAUSE_S) -> Any:
    """Tries, of `tenacity`: those that raise `Again` are followed by the next one."""
    import tenacity

    kind = tenacity.AsyncRetrying if is_async else tenacity.Retrying
    return kind(
        retry=tenacity.retry_if_exception_type(Again), stop=tenacity.stop_after_attempt(limits.CLIENT_TRIES),
        wait=lambda state: _pause(state, pause_s), retry_error_callback=_give_up,
    )  # fmt: skip


def pause_of(attempt: int, pause_s: float = limits.CLIENT_PAUSE_S) -> float:
    """Seconds before the try behind so many: half of what they have grown to, at least, and the rest by chance."""
    import random

    grown = min(limits.CLIENT_PAUSE_S_MAX, pause_s * float(1 << min(attempt, 20)))
    return grown / 2 + random.random() * grown / 2  # noqa: S311 - it is no secret


def _pause(state: tenacity.RetryCallState, pause_s: float) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.pause_s if isinstance(error, Again) else 0.0
    return max(pause_of(state.attempt_number, pause_s), min(asked, limits.CLIENT_PAUSE_S_MAX))


def _give_up(state: tenacity.RetryCallState) -> NoReturn:
    error = state.outcome.exception() if state.outcome is not None else None
    assert isinstance(error, Again)
    raise error.error


def failed(error: httpx.HTTPError, *, reads: bool) -> Exception:
    """What becomes of a request that failed on its way: `Again`, or what to raise.

    Args:
        error: of httpx.
        reads: whether the statement may be done twice.
    """
    import httpx

    if isinstance(error, httpx.PoolTimeout):
        return errors.LimitReached(
            f"{limits.CLIENT_HTTP_MAX} results of this client are open.", what="results", limit=limits.CLIENT_HTTP_MAX,
            hint="Read them to their end, or close them.",
        )  # fmt: skip
    if (refused_tls := certificates.refused(error)) is not None:
        return refused_tls
    never = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    if never:
        told = errors.BrokenError("the server cannot be reached.", hint=f"{error!s:.100}")
    elif reads:
        is_mute = isinstance(error, httpx.RemoteProtocolError)  # such as one that waits for TLS
        told = errors.BrokenError(
            f"the connection broke: {_kind(error)}.", hint="Does it want https://?" if is_mute else ""
        )
    else:
        told = errors.BrokenError(
            f"the connection broke: {_kind(error)}.", hint="Whether the statement was done is not known."
        )
    told.__cause__ = error
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError | httpx.ReadTimeout):
        return told
    return Again(told) if never or reads else told


def _kind(error: httpx.HTTPError) -> str:
    return f"{error!s:.100}" or type(error).__name__


def refused(status: int, retry_after: str, error: errors.FlatwaterError, *, reads: bool) -> Exception:
    """What becomes of a request that the server refused."""
    if reads and status in {429, 503} and retry_after.isdecimal() and len(retry_after) < 10:  # noqa: PLR2004 - digits
        return Again(error, float(retry_after))
    return error
