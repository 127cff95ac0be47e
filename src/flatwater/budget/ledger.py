"""The counting of a budget, under one lock: who holds what, who waits, what was lost and found.

Covers:     booking and returning bytes, the queue, orphans, the end of a share, use after a fork.
Not here:   the public face, shedding, the ambient budget (`budget.budget`, which is a ledger).
Holds:      figures: about 1 KiB, and 400 bytes for each holder and waiter, both bounded in `limits`.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections import deque

from flatwater import errors, limits, units
from flatwater.budget.gate import Gate
from flatwater.budget.holder import Holder, add_holder
from flatwater.budget.reservation import Reservation
from flatwater.budget.waiting import Waiter

logger = logging.getLogger("flatwater.budget")
SHUT = -1  # the room in a closed or forked ledger: nothing fits, not even nothing


class Ledger:
    """What a budget counts. All figures are guarded by `_lock`, which is never held while foreign code runs.

    Attributes:
        name: of the budget.
        gate: of the budget.
    """

    __slots__ = (
        "__weakref__",
        "_attention",
        "_held",
        "_holders",
        "_limit",
        "_lock",
        "_orphans",
        "_orphans_seen",
        "_parent",
        "_peak",
        "_pid",
        "_room",
        "_waiters",
        "gate",
        "name",
    )

    name: str
    gate: Gate

    def _open_books(self, limit: int, parent: Reservation | None) -> None:
        self._limit = limit
        self._room = limit  # what the fast path compares with: the limit, or SHUT
        self._held = 0
        self._peak = 0
        self._lock = threading.Lock()
        self._holders: dict[str, Holder] = {}
        self._waiters: deque[Waiter] = deque()
        self._orphans: deque[tuple[Holder, int, int]] = deque()
        self._orphans_seen = (0, 0)  # how many, and their bytes
        self._attention = False  # somebody waits, something was orphaned, or the budget is closing
        self._parent = parent  # what a share holds in its parent, until it is closed
        self._pid = os.getpid()
        _everywhere.add(self)

    def _take(self, count: int, holder: str, owner: int) -> Reservation | None:
        if self._attention:
            self._look_around()
        with self._lock:
            if self._room == SHUT:
                raise self._closed()
            if self._waiters or self._held + count > self._room:
                return None
            return Reservation(self, self._book(count, holder, owner), count, owner)

    def _book(self, count: int, holder: str, owner: int) -> Holder:
        """Call it with the lock held."""
        record = self._holders.get(holder) or add_holder(self._holders, holder)
        self._held += count
        self._peak = max(self._peak, self._held)
        record.take(count, owner)
        return record

    def _resize(self, reservation: Reservation, count: int) -> None:
        """With shedding, or refused: the budget's half."""
        raise NotImplementedError

    def _resize_now(self, reservation: Reservation, count: int) -> bool:
        if self._attention:
            self._look_around()
        with self._lock:
            if reservation._budget is None:  # noqa: SLF001 - released by another thread meanwhile
                raise errors.ClosedError(f"this reservation of {reservation.holder!r} was released.")
            growth = count - reservation.bytes
            held = self._held + growth
            if growth > 0 and self._room == SHUT:
                raise self._closed()
            if growth > 0 and held > self._room:
                return False
            self._held = held
            self._peak = max(self._peak, held)
            reservation.bytes = count
            reservation.peak = max(reservation.peak, count)
            # One that held nothing may have been forgotten (`add_holder`) while its name's reservation went on.
            record = self._holders.setdefault(reservation.holder, reservation._holder)  # noqa: SLF001 - two halves of one noun
            reservation._holder = record  # noqa: SLF001 - two halves of one noun
            record.resize(growth, reservation._owner)  # noqa: SLF001 - two halves of one noun
        if growth < 0 and self._attention:
            self._look_around()
        return True

    def _queue(self, waiter: Waiter, wait_s: float) -> str:
        """Join the queue; returns why not, in words, or nothing."""
        if waiter.count > self._limit:
            return "more than the whole budget"
        with self._lock:
            if not wait_s:
                return f"{len(self._waiters)} wait before it" if self._waiters else "no wait"
            record = self._holders.get(waiter.holder)
            if record is not None and not record.may_wait(waiter.owner):
                return "holds"
            if len(self._waiters) >= limits.BUDGET_WAITERS_MAX:
                raise errors.LimitReached(
                    f"{len(self._waiters)} wait for bytes of {self.name!r} already.",
                    what="BUDGET_WAITERS_MAX", limit=limits.BUDGET_WAITERS_MAX,
                    hint="Pause intake (budget.gate), or ask without wait_s.",
                )  # fmt: skip
            if self._room == SHUT:
                raise self._closed()
            self._waiters.append(waiter)
            self._attention = True
        self._look_around()  # bytes may have come back since the last try
        return ""

    def _leave_queue(self, waiter: Waiter) -> Reservation | None:
        """What the waiter was granted, or None and it stands in the queue no more."""
        with self._lock:
            if waiter.granted:
                record = self._holders[waiter.holder]
                return Reservation(self, record, waiter.count, waiter.owner)
            if waiter in self._waiters:
                self._waiters.remove(waiter)
        self._look_around()  # those behind it may fit
        return None

    def _look_around(self) -> None:
        """Take orphans back, serve those who wait, end a closed share: what the fast paths leave to others."""
        woken: list[Waiter] = []
        lost: list[tuple[str, int]] = []
        parent: Reservation | None = None
        with self._lock:
            self._attention = False  # first: an orphan noted from here on sets it again
            while self._orphans:
                record, count, owner = self._orphans.popleft()
                self._held -= count
                record.give_back(count, owner)
                self._orphans_seen = (self._orphans_seen[0] + 1, self._orphans_seen[1] + count)
                lost.append((record.name, count))
            while self._waiters and self._held + self._waiters[0].count <= self._room:
                waiter = self._waiters.popleft()
                self._book(waiter.count, waiter.holder, waiter.owner)
                waiter.granted = True
                woken.append(waiter)
            if self._room == SHUT and self._parent is not None:
                if self._held == 0:
                    parent, self._parent = self._parent, None
                else:
                    self._attention = True
            if self._waiters:
                self._attention = True
        if parent is not None:
            parent.release()
        for waiter in woken:
            if not waiter.wake():
                self._return_grant(waiter)
        for name, count in lost:
            logger.warning(
                "a reservation of %s by %r in budget %r was dropped without release; its bytes are returned",
                units.format_bytes(count), name, self.name,
            )  # fmt: skip

    def _return_grant(self, waiter: Waiter) -> None:
        """Its event loop was closed while it waited: nobody will ever take the bytes."""
        with self._lock:
            waiter.granted = False
            self._orphans.append((self._holders[waiter.holder], waiter.count, waiter.owner))
        self._look_around()

    def _closed(self) -> errors.ClosedError:
        if self._pid != os.getpid():
            return errors.ClosedError(
                f"budget {self.name!r} belongs to process {self._pid}, from which this one was forked.",
                hint="Make a budget here; the parent can reserve a lump for it.",
            )
        return errors.ClosedError(f"budget {self.name!r} was closed.")

    def _forget_threads(self) -> None:
        """In the child of a fork: locks may be held by threads that do not exist here, and the bytes are the parent's."""
        self._lock = threading.Lock()
        self._room = SHUT
        self._waiters.clear()
        self._parent = None
        self.gate.forget_threads()


_everywhere: weakref.WeakSet[Ledger] = weakref.WeakSet()


def _after_fork() -> None:
    for ledger in list(_everywhere):
        ledger._forget_threads()  # noqa: SLF001 - its own module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
