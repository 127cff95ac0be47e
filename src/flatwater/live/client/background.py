"""Connections of live queries for a program with threads: a loop in a thread of its own.

Covers:     the thread, calls into it, its end, which a function for tokens that never returns does not hold up.
Not here:   connections (`client.hub`).
Holds:      a thread and its loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar, final

from flatwater import errors
from flatwater.live.client.hub import Hub

if TYPE_CHECKING:
    from flatwater.budget.budget import Budget
    from flatwater.live.client.asking import Settings
    from flatwater.live.client.keys import Keys

_T = TypeVar("_T")


@final
class Background:
    """A hub in a thread. Thread-safe.

    Args:
        settings: of the client.
        budget: that connections are taken from.
        token: gives one that holds; called in threads.
        keys: of the client.
    """

    def __init__(self, settings: Settings, budget: Budget, token: Callable[[str], str], keys: Keys) -> None:
        async def ask(stale: str) -> str:
            return await _in_a_thread(token, stale)

        async def made() -> Hub:
            return Hub(settings, budget, ask, keys)

        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="flatwater-client", daemon=True)
        self._thread.start()
        try:
            self.hub = self.call(made())
        except BaseException:
            self._stop()
            raise

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()  # without waiting for a name that is looked up

    def call(self, doing: Coroutine[Any, Any, _T]) -> _T:
        """Do something there, and wait for it.

        Raises:
            ClosedError: the client was closed.
        """
        try:
            future = asyncio.run_coroutine_threadsafe(doing, self._loop)
        except RuntimeError:
            doing.close()
            raise errors.ClosedError("the client was closed.") from None
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def tell(self, call: Callable[..., object], *arguments: Any) -> bool:
        """Have something called there; False if it has ended."""
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            return False
        return True

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def close(self) -> None:
        """End all live queries, and the thread."""
        self.call(self.hub.close())
        self._stop()


async def _in_a_thread(function: Callable[[str], str], stale: str) -> str:
    """What a function gives that may take its time; a thread that the end of the process does not wait for."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def told(call: Callable[[Any], None], said: Any) -> None:
        if not answer.done():
            call(said)

    def run() -> None:
        call: Callable[[Any], None] = answer.set_result
        said: Any
        try:
            said = function(stale)
        except BaseException as error:  # noqa: BLE001 - raised where it is awaited
            call, said = answer.set_exception, error
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(told, call, said)

    threading.Thread(target=run, name="flatwater-token", daemon=True).start()
    return await answer
