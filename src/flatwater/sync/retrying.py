"""Try again what may work the next time, with growing pauses.

Covers:     temporary failures of one request, one file, one listing.
Not here:   what is tried.
Holds:      nothing.
"""

from __future__ import annotations

import importlib.util
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar, final

from flatwater import errors, limits
from flatwater.sync.failures import ChangedFailure, TemporaryFailure

Result = TypeVar("Result")


class Stopped(Exception):  # noqa: N818 - it is no error
    """The run ends: nothing more is begun."""


@final
class Retrying:
    """How often something is tried, and that nothing is tried any more when the run ends. Thread-safe.

    Args:
        tries: of each thing, the first one included.
        wait_s: before the second try; it doubles with each one, up to `limits.SYNC_RETRY_S_MAX`, and varies by chance.

    Raises:
        MissingExtra: the library is not there.
    """

    def __init__(self, tries: int = limits.SYNC_TRIES, wait_s: float | None = None) -> None:
        if importlib.util.find_spec("tenacity") is None:
            raise errors.MissingExtra("sync", "tenacity")
        self.stop = threading.Event()
        self._tries = tries
        self._wait_s = limits.SYNC_RETRY_S if wait_s is None else wait_s

    def call(self, function: Callable[[], Result]) -> Result:
        """What `function` returns, in one of so many tries.

        Raises:
            What the last try raised; Stopped.
        """
        if self.stop.is_set():
            raise Stopped
        try:
            return function()
        except (TemporaryFailure, ChangedFailure) as error:
            first: BaseException | None = error
        # Most things work at once: the library, which takes 50 ms to import, is asked when one did not.
        import tenacity

        turns = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((TemporaryFailure, ChangedFailure)),
            stop=tenacity.stop_after_attempt(self._tries),
            wait=tenacity.wait_exponential(self._wait_s, limits.SYNC_RETRY_S_MAX) + tenacity.wait_random(0, self._wait_s),
            sleep=self._sleep, reraise=True,
        )  # fmt: skip

        def again() -> Result:
            nonlocal first
            if first is not None:
                failed, first = first, None
                raise failed
            return function()

        return turns(again)

    def _sleep(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise Stopped


def are_left(threads: Sequence[threading.Thread]) -> bool:
    """Wait for threads that were told to end; whether one is left, as it waits for a server that does not answer."""
    until_s = time.monotonic() + limits.SYNC_LEAVE_S
    for thread in threads:
        thread.join(max(0.0, until_s - time.monotonic()))
    return any(thread.is_alive() for thread in threads)
