"""A gate that sources, flows and servers pass before they take anything in; pressure closes it.

Covers:     pausing with a reason, resuming, waiting for it in threads and coroutines; shares obey their parents' gates.
Not here:   who closes it (`watch`).
Holds:      the reasons, and one small object per waiting coroutine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import final

from flatwater import errors, limits


@final
class Gate:
    """Open, or paused for a reason. Thread-safe.

    Args:
        parent: a gate that, while paused, pauses this one too.

    >>> gate = Gate()
    >>> gate.pause("memory is critical")
    >>> gate.is_open, gate.reason, gate.wait(0.0)
    (False, 'memory is critical', False)
    >>> gate.resume()
    >>> gate.wait(0.0)
    True
    """

    def __init__(self, parent: Gate | None = None) -> None:
        self._parent = parent
        self._reason = ""
        # One condition for a whole tree of gates: resuming any of them may let anybody below it go on.
        self._changed: threading.Condition = parent._changed if parent else threading.Condition()  # noqa: SLF001 - its own kind
        self._callbacks: dict[int, Callable[[], bool]] = parent._callbacks if parent else {}  # noqa: SLF001 - its own kind
        self._forked_from = 0  # the process it belongs to, in the child of a fork

    @property
    def is_open(self) -> bool:
        """Whether intake may go on: neither this gate nor one above it is paused."""
        return not self.reason

    @property
    def reason(self) -> str:
        """Why it is paused, here or above; empty while open."""
        return self._reason or (self._parent.reason if self._parent else "")

    def pause(self, reason: str) -> None:
        """Close it. Pausing again replaces the reason.

        Raises:
            ClosedError: it belongs to the budget of a process that this one was forked from.
            UsageError: without a reason nobody could tell why everything stands still.
        """
        self._refuse_fork()
        if not isinstance(reason, str) or not reason:
            raise errors.UsageError(
                "a gate is paused for a reason.", hint="Pass one sentence, such as 'memory is critical'."
            )
        with self._changed:
            self._reason = reason

    def resume(self) -> None:
        """Open it (a paused gate above still holds). Resuming an open gate is fine."""
        with self._changed:
            self._reason = ""
            self._changed.notify_all()
            callbacks = list(self._callbacks.items())
        for key, wake in callbacks:
            if not wake():
                self._callbacks.pop(key, None)

    def forget_threads(self, forked_from: int) -> None:
        """In the child of a fork: a thread that held the condition does not exist here, nor one that would resume."""
        self._changed = threading.Condition()
        self._callbacks = {}
        self._forked_from = forked_from

    def wait(self, timeout_s: float = limits.GATE_WAIT_S) -> bool:
        """Block until it is open. False if it still is not after `timeout_s`.

        Raises:
            ClosedError: it belongs to the budget of a process that this one was forked from.
            UsageError: not a number of seconds.
        """
        self._refuse_fork()
        deadline = time.monotonic() + _checked(timeout_s)
        with self._changed:
            while not self.is_open:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True

    async def wait_async(self, timeout_s: float = limits.GATE_WAIT_S) -> bool:
        """`wait` for coroutines; the event loop goes on."""
        import asyncio

        self._refuse_fork()
        loop = asyncio.get_running_loop()
        deadline = time.monotonic() + _checked(timeout_s)
        changed = asyncio.Event()
        key = id(changed)

        def wake() -> bool:
            try:
                loop.call_soon_threadsafe(changed.set)
            except RuntimeError:  # the loop was closed while it waited: nobody is there
                return False
            return True

        with self._changed:
            self._callbacks[key] = wake
        try:
            while not self.is_open:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                changed.clear()
                if not self.is_open:
                    try:
                        await asyncio.wait_for(changed.wait(), left)
                    except TimeoutError:
                        return self.is_open
        finally:
            with self._changed:
                self._callbacks.pop(key, None)
        return True

    def _refuse_fork(self) -> None:
        if self._forked_from:
            raise errors.ClosedError(
                f"this gate belongs to process {self._forked_from}, from which this one was forked.",
                hint="Make a budget here, and use its gate.",
            )


def _checked(timeout_s: float) -> float:
    is_number = isinstance(timeout_s, int | float) and not isinstance(timeout_s, bool)
    if not is_number or not 0 <= timeout_s <= limits.WAIT_S_MAX:
        raise errors.UsageError(
            f"timeout_s={timeout_s!r}: from 0 to {limits.WAIT_S_MAX} seconds.", hint="Pass a number, such as 10.0."
        )
    return timeout_s
