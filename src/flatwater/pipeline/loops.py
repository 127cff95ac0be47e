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
    from concurrent.futures import Future

current: ContextVar[asyncio.AbstractEventLoop | None] = ContextVar("flatwater_flow_loop", default=None)


def awaiting() -> asyncio.AbstractEventLoop | None:
    """The loop that awaits this run, in another thread; None if there is none."""
    loop = current.get()
    return None if loop is None or loop.is_closed() or is_running_here() else loop


def is_running_here(loop: asyncio.AbstractEventLoop | None = None) -> bool:
    """Whether this thread runs that loop, or any, and would stop it by waiting."""
    import asyncio

    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        return False
    return loop is None or running is loop


def refuse_running(what: str) -> None:
    """For what would need a loop of its own in this thread.

    Raises:
        UsageError: one runs here already.
    """
    if is_running_here():
        raise errors.UsageError(f"{what} was run in a coroutine by run().", hint="There, use: await flow.arun().")


async def ended(work: asyncio.Future[Any]) -> None:
    """Wait for a thread's work, whoever cancels meanwhile: a thread that is left behind may wait for this very loop.

    Raises:
        CancelledError: somebody did.
    """
    import asyncio

    is_cancelled = False
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError:
            is_cancelled = True
    if not work.cancelled():
        work.exception()  # it was looked at
    if is_cancelled:
        raise asyncio.CancelledError


def waiting(what: str) -> Callable[[Coroutine[Any, Any, Any], float], Any]:
    """A function that waits for a coroutine of the loop that awaits this run, from the thread in which the run works.

    It takes the coroutine, and seconds after which that is cancelled, with a TimeoutError.

    Raises:
        UsageError: no loop awaits it.
    """
    import asyncio

    loop = awaiting()
    if loop is None:
        raise errors.UsageError(f"{what} belongs to an event loop.", hint="Run it there: await flow.arun().")
    return lambda made, seconds: outcome(begun(asyncio.wait_for(made, seconds), loop), loop)


def begun(made: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> Future[Any]:
    """Have a loop run a coroutine, from another thread.

    Raises:
        ClosedError: the loop has ended.
    """
    import asyncio

    try:
        return asyncio.run_coroutine_threadsafe(made, loop)
    except RuntimeError:  # it is closed
        made.close()
        raise _gone() from None


def outcome(coming: Future[Any], loop: asyncio.AbstractEventLoop) -> Any:
    """Wait for what a loop runs, as long as there is that loop.

    Raises:
        ClosedError: the loop has ended.
    """
    from concurrent.futures import CancelledError

    while True:
        try:
            return coming.result(1.0)
        except CancelledError:
            raise _gone() from None
        except TimeoutError:
            if coming.done():  # it is the coroutine's own
                raise
            if loop.is_closed():
                raise _gone() from None


def _gone() -> errors.ClosedError:
    return errors.ClosedError("the event loop that awaited the run has ended.", hint="Run the flow again.")
