"""Those who give bytes back when asked: caches, pools, anything that can be made anew.

Covers:     registering a shedder, running them without a lock and never inside one another, what each freed.
Not here:   when they are asked (`budget.budget` before it refuses, `watch` under pressure).
Holds:      one small object per shedder.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, final

from flatwater import errors, limits, units

if TYPE_CHECKING:
    from flatwater.budget.budget import Budget

logger = logging.getLogger("flatwater.budget")
_running = threading.local()


@final
class PressureHandle:
    """A registered shedder. Made by `Budget.on_pressure`. Thread-safe.

    The budget holds a function or lambda strongly and a bound method's object weakly, so that a cache that is dropped
    takes its registration with it. The handle itself keeps that object alive, and `cancel` ends the registration.

    Attributes:
        name: shows in logs.
        freed: bytes it has reported in all.
    """

    def __init__(self, registration: _Registration, shedder: Callable[[int], object]) -> None:
        self._registration = registration
        self._shedder: Callable[[int], object] | None = shedder

    @property
    def name(self) -> str:
        """As given, or the shedder's own."""
        return self._registration.name

    @property
    def freed(self) -> int:
        """Bytes it has reported freed so far."""
        return self._registration.freed

    def cancel(self) -> None:
        """End the registration. Cancelling twice is fine."""
        self._registration.cancelled = True
        self._shedder = None


@final
class _Registration:
    """What the budget keeps of a shedder."""

    def __init__(self, shedder: Callable[[int], object], name: str) -> None:
        self.name = name or getattr(shedder, "__qualname__", type(shedder).__name__)
        self.cancelled = False
        self.freed = 0
        self.busy = threading.Lock()
        self._weak = weakref.WeakMethod(shedder) if isinstance(shedder, MethodType) else None
        self._strong = None if self._weak is not None else shedder

    @property
    def is_alive(self) -> bool:
        return not self.cancelled and self.shedder() is not None

    def shedder(self) -> Callable[[int], object] | None:
        return self._weak() if self._weak is not None else self._strong


@final
class Shedders:
    """The shedders of one budget, asked in the order they were registered. Thread-safe."""

    def __init__(self) -> None:
        self._registrations: list[_Registration] = []
        self._lock = threading.RLock()  # a finalizer that runs inside `add` may register or cancel

    def add(self, shedder: Callable[[int], object], name: str) -> PressureHandle:
        """Register; those that died are dropped on the way."""
        errors.check_function(shedder, hint="Pass a function of the bytes wanted.")
        registration = _Registration(shedder, name)
        with self._lock:
            self._registrations = [known for known in self._registrations if known.is_alive]
            if len(self._registrations) >= limits.BUDGET_SHEDDERS_MAX:
                raise errors.LimitReached(
                    f"{len(self._registrations)} shedders are registered already.",
                    what="BUDGET_SHEDDERS_MAX", limit=limits.BUDGET_SHEDDERS_MAX,
                    hint="Register one for a whole cache, not one for each entry, and cancel those that end.",
                )  # fmt: skip
            self._registrations.append(registration)
        return PressureHandle(registration, shedder)

    def __bool__(self) -> bool:
        return bool(self._registrations)

    def ask(self, budget: Budget, wanted: int, *, patience_s: float) -> int:
        """Ask for `wanted` bytes, one shedder after the other until they report them freed; returns what they reported."""
        freed = 0
        for registration in self._askable(budget):
            if freed >= wanted:
                break
            freed += _ask_one(registration, budget, wanted - freed, patience_s)
        return freed

    def make_room(self, budget: Budget, count: int, *, patience_s: float) -> None:
        """Ask one shedder after the other until `count` bytes are free, whatever they report."""
        for registration in self._askable(budget):
            missing = count - budget.free
            if missing <= 0:
                break
            _ask_one(registration, budget, missing, patience_s)

    def _askable(self, budget: Budget) -> list[_Registration]:
        """None inside a shedder, which would be asked inside itself, and none where the budget's lock is held."""
        if getattr(_running, "depth", 0) or budget._is_inside():  # noqa: SLF001 - a finalizer may ask; two halves of one noun
            return []
        return [registration for registration in self._registrations if registration.is_alive]


def _ask_one(registration: _Registration, budget: Budget, wanted: int, patience_s: float) -> int:
    shedder = registration.shedder()
    # Two threads that are refused at once must not run the same shedder side by side; the second waits for what the
    # first gets, but never for long: the first may itself be waiting for the second.
    if shedder is None or not registration.busy.acquire(timeout=patience_s):
        return 0
    held_before = budget.held
    _running.depth = 1
    try:
        reported = shedder(wanted)
    except Exception:
        logger.exception("shedder %r of budget %r failed; it freed nothing", registration.name, budget.name)
        return 0
    finally:
        _running.depth = 0
        registration.busy.release()
    # One that reports nothing is taken at the bytes that left the budget meanwhile.
    is_count = isinstance(reported, int) and not isinstance(reported, bool) and reported >= 0
    freed = int(reported) if is_count else max(0, held_before - budget.held)  # type: ignore[call-overload]  # checked above
    registration.freed += freed
    logger.info(
        "shedder %r of budget %r freed %s of %s asked for",
        registration.name, budget.name, units.format_bytes(freed), units.format_bytes(wanted),
    )  # fmt: skip
    return freed
