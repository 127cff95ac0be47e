"""The counting of a budget, under one lock: who holds what, who waits, what was lost and found.

Covers:     booking and returning bytes, the queue, orphans, the end of a share, use after a fork.
Not here:   the public face, shedding, refusals, the ambient budget (`budget.budget`, which is a ledger).
Holds:      figures: about 1 KiB, and 400 bytes for each holder and waiter, both bounded in `limits`.

A finalizer or a signal handler may release or reserve while its own thread is at work in here. Hence three rules:

1. The lock is an RLock, so such a call goes through.
2. Figures that belong together change in one stretch without a call or a loop. CPython 3.11 to 3.13 run signal handlers
   (and 3.12 and later the collector) only after calls, at the start of a Python function and at backward jumps; 3.11
   collects where an object is made that the collector knows: there is none in such a stretch. What was read before a call
   is read again after it.
3. Foreign code runs after the lock is left. A call from inside leaves that, as `_attention`, to the work it interrupted.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import weakref
from collections import deque
from typing import NamedTuple

from flatwater import errors, limits, units
from flatwater.budget.gate import Gate
from flatwater.budget.holder import HolderTable
from flatwater.budget.reservation import Reservation
from flatwater.budget.waiting import Waiter

logger = logging.getLogger("flatwater.budget")
SHUT = -1  # the room in a closed or forked ledger: nothing fits, not even nothing
_READS_MAX = 3  # of the books, where a finalizer or a signal handler changes them between two rows


class Books(NamedTuple):
    """The figures of a ledger at one moment.

    Attributes:
        rows: `(name, bytes now, bytes at most)` of each holder, in no order.
        waiting: how many wait.
        orphans: how many were found, and their bytes.
    """

    held: int
    peak: int
    rows: list[tuple[str, int, int]]
    waiting: int
    orphans: tuple[int, int]

    def largest_first(self) -> list[tuple[str, int, int]]:
        """The rows in the order in which people want them."""
        return sorted(self.rows, key=lambda row: (-row[1], -row[2], row[0]))


class Ledger:
    """What a budget counts. All figures are guarded by `_lock`, which is never held while foreign code is called.

    Attributes:
        name: of the budget.
        gate: of the budget.
    """

    __slots__ = (
        "__weakref__",
        "_again",
        "_attention",
        "_held",
        "_holders",
        "_limit",
        "_lock",
        "_orphans",
        "_orphans_bytes",
        "_orphans_seen",
        "_owners",
        "_parent",
        "_peak",
        "_pid",
        "_room",
        "_table",
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
        self._lock = threading.RLock()
        self._table = HolderTable()
        self._holders = self._table.by_name
        self._owners: dict[int, int] = {}  # reservations alive of each thread or task that was ready to wait for them
        self._waiters: deque[Waiter] = deque()
        self._orphans: deque[Reservation] = deque()
        self._orphans_seen = 0  # found in all
        self._orphans_bytes = 0  # of those
        self._attention = False  # somebody waits, something was orphaned, or the budget is closing
        self._again = False  # a call from inside found something to do while somebody looked around
        self._parent = parent  # what a share holds in its parent, until it is closed
        self._pid = os.getpid()
        _everywhere.add(self)

    # --- booking ------------------------------------------------------------------------------------------------------

    def _take(self, count: int, holder: str, owner: int) -> Reservation | None:
        """Without waiting and without shedding."""
        self._settle()
        got = Reservation(count, owner)
        with self._lock:
            if self._room == SHUT:
                raise self._closed()
            fits = not self._waiters and self._fit(got, holder)
        self._settle()
        return got if fits else None

    def _take_or_read(self, count: int, holder: str) -> Reservation | Books:
        """The last try before a refusal, and what the books said when it failed."""
        got = Reservation(count)
        books = None
        with self._lock:
            if self._room == SHUT:
                raise self._closed()
            if self._waiters or not self._fit(got, holder):
                books = self._books()
        self._settle()
        return books or got

    def _fit(self, got: Reservation, holder: str, waiter: Waiter | None = None) -> bool:
        """Book it if there is room; call it with the lock held."""
        while True:
            try:
                return self._book(got, holder, waiter)
            except KeyError:
                self._table.add(holder)

    def _book(self, got: Reservation, holder: str, waiter: Waiter | None) -> bool:
        """One stretch without a call (rule 2). `waiter` is served only while it is the first in the queue.

        Raises:
            KeyError: the holder is not in the table.
        """
        if waiter is not None and (not self._waiters or self._waiters[0] is not waiter):
            return False
        count = got.bytes
        held = self._held + count
        if held > self._room:
            return False
        record = self._holders[holder]  # after the room was asked: a refused name is not remembered
        self._held = held
        if held > self._peak:  # noqa: PLR1730 - max() is a call
            self._peak = held
        record.now = now = record.now + count
        if now > record.peak:  # noqa: PLR1730 - the same
            record.peak = now
        owner = got._owner  # noqa: SLF001 - two halves of one noun, here and below
        if owner:
            record.owned += count
            self._owners[owner] = self._owners[owner] + 1 if owner in self._owners else 1
        got._holder = record  # noqa: SLF001
        got._budget = self  # noqa: SLF001
        if waiter is not None:
            waiter.granted = True
            del self._waiters[0]
        return True

    def _resize(self, reservation: Reservation, count: int) -> None:
        """With shedding, or refused: the budget's half."""
        raise NotImplementedError

    def _resize_now(self, reservation: Reservation, count: int) -> bool:
        self._settle()
        with self._lock:
            fits = self._refit(reservation, count)
        self._settle()
        return fits

    def _resize_or_read(self, reservation: Reservation, count: int) -> tuple[int, Books] | None:
        """The last try before a refusal; if it fails, the bytes it holds and the books at that moment."""
        found = None
        with self._lock:
            if not self._refit(reservation, count):
                found = reservation.bytes, self._books()
        self._settle()
        return found

    def _refit(self, reservation: Reservation, count: int) -> bool:
        """Book another size for it if there is room; call it with the lock held."""
        while True:
            try:
                return self._rebook(reservation, count)
            except KeyError:
                # One that held nothing was forgotten (`HolderTable`) while its name's reservation went on.
                self._holders.setdefault(reservation.holder, reservation._holder)  # noqa: SLF001 - two halves of one noun

    def _rebook(self, reservation: Reservation, count: int) -> bool:
        """One stretch without a call (rule 2), but for errors."""
        if reservation._budget is None:  # noqa: SLF001 - released meanwhile
            raise errors.ClosedError(f"this reservation of {reservation.holder!r} was released.")
        growth = count - reservation.bytes
        if growth > 0 and self._room == SHUT:
            raise self._closed()
        record = self._holders[reservation._holder.name]  # noqa: SLF001 - two halves of one noun, here and below
        held = self._held + growth
        if growth > 0 and held > self._room:
            return False
        self._held = held
        if held > self._peak:  # noqa: PLR1730 - max() is a call
            self._peak = held
        reservation.bytes = count
        if count > reservation.peak:  # noqa: PLR1730 - the same
            reservation.peak = count
        record.now = now = record.now + growth
        if now > record.peak:  # noqa: PLR1730 - max() is a call
            record.peak = now
        if reservation._owner:  # noqa: SLF001
            record.owned += growth
        reservation._holder = record  # noqa: SLF001
        return True

    # --- reading ------------------------------------------------------------------------------------------------------

    def _read(self) -> Books:
        self._settle()
        with self._lock:
            books = self._books()
        self._settle()
        return books

    def _books(self) -> Books:
        """Call it with the lock held."""
        for _ in range(_READS_MAX):
            waiting = len(self._waiters)
            held, peak, orphans = self._held, self._peak, (self._orphans_seen, self._orphans_bytes)
            # `list` copies in one step; a finalizer may add a holder between two rows.
            rows = [(holder.name, holder.now, holder.peak) for holder in list(self._holders.values())]
            if sum(row[1] for row in rows) == held:
                break
        return Books(held, peak, rows, waiting, orphans)

    # --- the queue ----------------------------------------------------------------------------------------------------

    def _join(self, waiter: Waiter) -> tuple[str, Books] | None:
        """Join the queue, or have the bytes at once; else why not, in words, and the books at that moment."""
        refused = None
        from_inside = self._is_inside()
        with self._lock:
            if self._room == SHUT:
                raise self._closed()
            reason = self._why_not_wait(waiter)
            if not reason and from_inside:
                reason = "a finalizer or signal handler that interrupts its own budget cannot wait"
            if reason and (self._waiters or not self._fit(waiter.got, waiter.holder)):
                refused = reason, self._books()
            elif reason:
                waiter.granted = True
            else:
                self._waiters.append(waiter)
                self._attention = True
        self._settle()  # bytes may have come back since the last try
        return refused

    def _why_not_wait(self, waiter: Waiter) -> str:
        if waiter.got.bytes > self._limit:
            return WHOLE
        record = self._holders.get(waiter.holder)
        if record is not None and record.now != record.owned:
            return NAME_HOLDS
        if waiter.got._owner in self._owners:  # noqa: SLF001 - two halves of one noun
            return OWNER_HOLDS
        if len(self._waiters) >= limits.BUDGET_WAITERS_MAX:
            raise errors.LimitReached(
                f"{len(self._waiters)} wait for bytes of {self.name!r} already.",
                what="BUDGET_WAITERS_MAX", limit=limits.BUDGET_WAITERS_MAX,
                hint="Pause intake (budget.gate), or ask without wait_s.",
            )  # fmt: skip
        return ""

    def _leave(self, waiter: Waiter) -> tuple[int, Books] | None:
        """None if the waiter was served; else it stands in the queue no more: how many stood before it, and the books."""
        refused = None
        with self._lock:
            if not waiter.granted and not self._fit(waiter.got, waiter.holder, waiter):
                before = self._waiters.index(waiter) if waiter in self._waiters else 0
                refused = before, self._books()
                self._drop(waiter)
        self._settle()  # those behind it may fit
        return refused

    def _abandon(self, waiter: Waiter) -> None:
        """An exception ended the wait, at any moment: nobody will take what the waiter was granted, or would be."""
        with self._lock:
            self._drop(waiter)
        waiter.got.release()
        self._settle()

    def _drop(self, waiter: Waiter) -> None:
        with contextlib.suppress(ValueError):
            self._waiters.remove(waiter)

    # --- looking around -----------------------------------------------------------------------------------------------

    def _is_inside(self) -> bool:
        """Whether a finalizer or signal handler asks, in the middle of its own thread's work on these books."""
        owned: bool = self._lock._is_owned()  # type: ignore[attr-defined]  # noqa: SLF001 - as threading.Condition asks
        return owned

    def _settle(self) -> None:
        """Before the books are worked on, and after: a call from inside may have left something to do."""
        if self._attention:
            self._look_around()

    def _look_around(self) -> None:
        """Take orphans back, serve those who wait, end a closed share: what the fast paths leave to others."""
        if self._is_inside():
            self._attention = self._again = True  # rule 3
            return
        if self._pid != os.getpid():
            self._attention = False  # these books are the parent's: nothing here is lost or waited for
            return
        lost: list[tuple[str, int]] = []
        with self._lock:
            self._attention = self._again = False  # first: an orphan noted from here on sets it again
            while self._orphans:
                orphan = self._orphans[0]
                count = self._take_back(orphan)
                if count is not None:
                    lost.append((orphan.holder, count))
            parent = self._end_share()
            woken = self._serve()  # last: bytes that come back from inside, at a call before it, are seen by it
        if parent is not None:
            parent.release()
        for waiter in woken:
            if not waiter.wake():
                waiter.got.release()  # its event loop was closed while it waited: nobody will ever take the bytes
        for name, count in lost:
            logger.warning(
                "a reservation of %s by %r in budget %r was dropped without release; its bytes are returned",
                units.format_bytes(count), name, self.name,
            )  # fmt: skip
        if self._again:
            self._look_around()

    def _serve(self) -> list[Waiter]:
        """Grant in order what fits. After the last look at the room no call follows before the lock is left (rule 2)."""
        woken: list[Waiter] = []
        while self._waiters:
            waiter = self._waiters[0]
            if self._fit(waiter.got, waiter.holder, waiter):
                woken.append(waiter)
            elif self._waiters and self._waiters[0] is waiter:
                self._attention = True
                break
        return woken

    def _end_share(self) -> Reservation | None:
        """What a closed share held in its parent, once nothing is held inside."""
        if self._room != SHUT or self._parent is None:
            return None
        if self._held:
            self._attention = True
            return None
        parent, self._parent = self._parent, None
        return parent

    def _take_back(self, orphan: Reservation) -> int | None:
        """The first of them, in one stretch without a call (rule 2). None: another finalizer released it meanwhile."""
        del self._orphans[0]
        count = orphan.bytes
        if orphan._budget is None:  # noqa: SLF001 - two halves of one noun, here and below
            return None
        orphan._budget = None  # noqa: SLF001
        orphan.bytes = 0
        self._held -= count
        record = orphan._holder  # noqa: SLF001
        record.now -= count
        owner = orphan._owner  # noqa: SLF001
        if owner:
            record.owned -= count
            self._owners[owner] -= 1
            if not self._owners[owner]:
                del self._owners[owner]
        self._orphans_seen += 1
        self._orphans_bytes += count
        return count

    # --- the end ------------------------------------------------------------------------------------------------------

    def _closed(self) -> errors.ClosedError:
        if self._pid != os.getpid():
            return errors.ClosedError(
                f"budget {self.name!r} belongs to process {self._pid}, from which this one was forked.",
                hint="Make a budget here; the parent can reserve a lump for it.",
            )
        return errors.ClosedError(f"budget {self.name!r} was closed.")

    def _refuse_fork(self) -> None:
        """For what a closed budget still does, and one of another process does not."""
        if self._pid != os.getpid():
            raise self._closed()

    def _forget_threads(self) -> None:
        """In the child of a fork: locks may be held by threads that do not exist here, and the bytes are the parent's."""
        self._lock = threading.RLock()
        self._room = SHUT
        self._waiters.clear()
        self._orphans.clear()
        if self._parent is not None:
            self._parent._budget = None  # noqa: SLF001 - else it would be found as dropped without release
            self._parent = None
        self.gate.forget_threads(self._pid)


# Why somebody may not wait.
WHOLE = "more than the whole budget"
NAME_HOLDS = "the name holds"
OWNER_HOLDS = "this thread or task already holds bytes that it waited for, and who holds may not wait"

_everywhere: weakref.WeakSet[Ledger] = weakref.WeakSet()


def _after_fork() -> None:
    for ledger in list(_everywhere):
        ledger._forget_threads()  # noqa: SLF001 - its own module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
