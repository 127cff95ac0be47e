"""The event loop of whoever awaits a run: stages work in a thread, and what belongs to the loop is waited for there.

Covers:     which loop that is, waiting for one of its coroutines.
Not here:   running in a thread (`pipeline.flow`).
Holds:      nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from flatwater import errors

if TYPE_CHECKING:
    import asyncio

current: ContextVar[asyncio.AbstractEventLoop | None] = ContextVar("flatwater_flow_loop", default=None)


def waiting(what: str) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """A function that waits for a coroutine of the loop that awaits this run, from the thread in which the run works.

    Raises:
        UsageError: no loop awaits it.
    """
    import asyncio

    loop = current.get()
    if loop is None:
        raise errors.UsageError(f"{what} belongs to an event loop.", hint="Run it there: await flow.arun().")

    def wait(made: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(made, loop).result()

    return wait
