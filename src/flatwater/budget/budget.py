"""A fixed number of bytes that the parts of a program share; who holds what; refusing rather than growing.

Covers:     reserving with and without waiting, in threads and coroutines; shares; shedding; the ambient budget.
Not here:   what the process really takes (`meter`), comparing the two (`watch.account`).
Holds:      figures: about 1 KiB, and 400 bytes for each holder, waiter and shedder, all bounded in `limits`.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Self, final

from flatwater import errors, limits, units
from flatwater.budget import ambient
from flatwater.budget.gate import Gate
from flatwater.budget.holder import add_holder
from flatwater.budget.ledger import SHUT, Ledger
from flatwater.budget.pressure import PressureHandle, Shedders
from flatwater.budget.reservation import Reservation
from flatwater.budget.waiting import TaskWaiter, ThreadWaiter

if TYPE_CHECKING:
    from flatwater.budget.explain import Explanation

logger = logging.getLogger("flatwater.budget")


@final
class Budget(Ledger):
    """So many bytes, and not one more. Thread-safe; threads and coroutines may share one.

    Bytes are heap bytes by promise: a part reserves what it is about to hold. `held` never exceeds `limit`. What does not
    fit is refused with `BudgetExceeded`, after the budget's shedders were asked to give bytes back.

    Used as a context manager it is the ambient budget (`Budget.current()`) of that thread or task and of the tasks
    started inside. It belongs to one process: pickling is refused, and so is use after a fork.

    Args:
        limit: bytes, or a text such as `"256 MiB"`.
        name: shows in refusals and tables.

    Raises:
        UsageError: the limit is not a size, or is 0.

    >>> budget = Budget("64 MiB", name="job")
    >>> with budget.reserve("61 MiB", "store.cache"):
    ...     budget.reserve("4 MiB", "flow.pmap")
    Traceback (most recent call last):
    flatwater.errors.BudgetExceeded: refused 4.0 MiB for 'flow.pmap': 61.0 MiB of 64.0 MiB held (store.cache 61.0 MiB)...
    >>> budget.held, budget.peak == 61 << 20
    (0, True)
    """

    __slots__ = ("_shedders", "source")

    def __init__(self, limit: str | int, name: str = "budget") -> None:
        count = errors.bytes_of(limit, what="limit", least=limits.BUDGET_BYTES_MIN)
        note = _larger_than_memory(count)
        self._set_up(count, name, note, None, None)
        if note:
            logger.warning("budget %r of %s is %s", name, units.format_bytes(count), note)

    def _set_up(self, limit: int, name: str, source: str, parent: Reservation | None, gate: Gate | None) -> None:
        if not isinstance(name, str) or not name:
            raise errors.UsageError(f"{name!r} is no name for a budget.", hint="Pass a short string such as 'job'.")
        self.name = name
        self.source = source
        self.gate = Gate(gate)
        self._open_books(limit, parent)
        self._shedders = Shedders()

    @classmethod
    def detect(cls, name: str = "detected") -> Budget:
        """A budget of what this process may have: the least of what limits it, else half of the machine's memory.

        Read in this order: cgroup v2 `memory.max` and cgroup v1 `memory.limit_in_bytes` of the process's own group and
        of those above it, then `RLIMIT_DATA`. `source` says in words which one it was.
        """
        from flatwater.budget.detect import detect

        limit, source = detect()
        budget = cls.__new__(cls)
        budget._set_up(limit, name, source, None, None)  # noqa: SLF001 - its own kind
        return budget

    @classmethod
    def current(cls) -> Budget:
        """The ambient budget: of the innermost `with` around the caller, else the process's detected one."""
        return ambient.current() or _detected()

    @property
    def limit(self) -> int:
        """Bytes."""
        return self._limit

    @property
    def held(self) -> int:
        """Bytes promised now; shares count with all of theirs."""
        if self._attention:
            self._look_around()
        return self._held

    @property
    def peak(self) -> int:
        """The most bytes promised at once."""
        return self._peak

    @property
    def free(self) -> int:
        """Bytes that can still be promised."""
        return self._limit - self.held

    @property
    def waiting(self) -> int:
        """How many wait for bytes."""
        return len(self._waiters)

    def holders(self) -> list[tuple[str, int, int]]:
        """`(name, bytes now, bytes at most)`, largest first."""
        with self._lock:
            rows = [(holder.name, holder.now, holder.peak) for holder in self._holders.values()]
        return sorted(rows, key=lambda row: (-row[1], -row[2], row[0]))

    def explain(self) -> Explanation:
        """Who holds what, now and at most: a table when printed, `.to_dict()` for JSON."""
        if self._attention:
            self._look_around()
        from flatwater.budget.explain import explanation_of

        return explanation_of(self)

    # --- reserving ----------------------------------------------------------------------------------------------------

    def reserve(self, count: str | int, holder: str, wait_s: float = 0.0) -> Reservation:
        """Promise `count` bytes to `holder`.

        With `wait_s`, wait up to so many seconds; those who wait are served in the order they came, and nobody passes
        them. Only a holder of nothing may wait: a name may hold bytes that other threads or tasks waited for, and
        none besides. What can never fit is refused at once.

        Raises:
            BudgetExceeded: it does not fit, also after shedding and waiting; `HoldAndWait` where waiting was not allowed.
            ClosedError: the budget was closed, or belongs to the process this one was forked from.
            UsageError: not a size, a name or a time.
        """
        if type(count) is int and type(holder) is str and not wait_s and holder and count >= 0:
            lock = self._lock
            lock.acquire()  # `with` costs twice as much, and this is the hot path
            try:
                held = self._held + count
                if held <= self._room and not self._attention:
                    record = self._holders.get(holder) or add_holder(self._holders, holder)
                    self._held = held
                    if held > self._peak:  # noqa: PLR1730 - a call of max() costs 80 ns
                        self._peak = held
                    record.now = now = record.now + count
                    if now > record.peak:  # noqa: PLR1730 - the same
                        record.peak = now
                    return Reservation(self, record, count)
            finally:
                lock.release()
        count, wait_s = self._checked(count, holder, wait_s)
        owner = threading.get_ident() if wait_s else 0
        got = self._try(count, holder, owner, patience_s=limits.SHED_WAIT_S)
        if got is not None:
            return got
        waiter = ThreadWaiter(count, holder, owner)
        reason = self._queue(waiter, wait_s)
        if not reason:
            try:
                waiter.sleep(wait_s)
            finally:
                got = self._leave_queue(waiter)
            if got is not None:
                return got
            if self._room == SHUT:
                raise self._closed()
            reason = f"waited {units.format_duration(wait_s)}"
        raise self._refusal(count, holder, reason)

    async def areserve(self, count: str | int, holder: str, wait_s: float = 0.0) -> Reservation:
        """`reserve` for coroutines: the event loop goes on. Cancelling leaves the queue and takes nothing.

        Shedders run in the event loop's thread.
        """
        import asyncio

        count, wait_s = self._checked(count, holder, wait_s)
        owner = id(asyncio.current_task()) if wait_s else 0
        got = self._try(count, holder, owner, patience_s=0.0)
        if got is not None:
            return got
        waiter = TaskWaiter(count, holder, owner, asyncio.get_running_loop())
        reason = self._queue(waiter, wait_s)
        if not reason:
            try:
                await asyncio.wait((waiter.future,), timeout=wait_s)
            except BaseException:
                lost = self._leave_queue(waiter)
                if lost is not None:
                    lost.release()
                raise
            got = self._leave_queue(waiter)
            if got is not None:
                return got
            if self._room == SHUT:
                raise self._closed()
            reason = f"waited {units.format_duration(wait_s)}"
        raise self._refusal(count, holder, reason)

    def try_reserve(self, count: str | int, holder: str) -> Reservation | None:
        """`reserve` without waiting, for those who have another way: None instead of `BudgetExceeded`."""
        count, _ = self._checked(count, holder, 0.0)
        return self._try(count, holder, 0, patience_s=limits.SHED_WAIT_S)

    def share(self, name: str, count: str | int, wait_s: float = 0.0) -> Budget:
        """A budget of `count` bytes inside this one, which takes them at once and gives them back when it is closed.

        Its holders show in this budget's `explain()`. Its gate is paused when this one's is. Reserving in it costs
        nothing here. As a context manager it closes on leaving.

        Raises:
            BudgetExceeded: the bytes do not fit.
        """
        count = errors.bytes_of(count, what="bytes", least=limits.BUDGET_BYTES_MIN)
        reservation = self.reserve(count, name, wait_s)
        budget = Budget.__new__(Budget)
        budget._set_up(count, name, f"a share of {self.name!r}", reservation, self.gate)  # noqa: SLF001 - its own kind
        with self._lock:
            record = reservation._holder  # noqa: SLF001 - two halves of one noun
            record.shares = [known for known in record.shares if known() is not None]
            record.shares.append(weakref.ref(budget))
        return budget

    # --- pressure -----------------------------------------------------------------------------------------------------

    def on_pressure(self, shedder: Callable[[int], object], name: str = "") -> PressureHandle:
        """Have `shedder(wanted)` asked to give bytes back before anything is refused.

        It is called with the bytes wanted, in the thread of whoever asks, without any lock and never inside itself; it
        releases reservations and returns the bytes it freed. One that raises is logged, and freed nothing. A bound
        method's object is held weakly by the budget, everything else strongly; the handle holds both.

        Raises:
            LimitReached: there are `limits.BUDGET_SHEDDERS_MAX` already.
            UsageError: it cannot be called.
        """
        return self._shedders.add(shedder, name)

    def shed(self, wanted: str | int) -> int:
        """Ask this budget's shedders, and those of its shares, for `wanted` bytes; returns what they freed.

        For those who see that the process is too large although the promises are kept, such as a watcher.
        """
        wanted = errors.bytes_of(wanted, what="wanted")
        freed = self._shedders.ask(self, wanted, patience_s=limits.SHED_WAIT_S)
        for share in self.shares():
            if freed >= wanted:
                break
            freed += share.shed(wanted - freed)
        return freed

    def shares(self) -> list[Budget]:
        """The budgets inside this one that are open, in the order of their holders."""
        with self._lock:
            found = [known() for holder in self._holders.values() for known in holder.shares]
        return [share for share in found if share is not None and share._parent is not None]  # noqa: SLF001 - its own kind

    # --- life ---------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Refuse from now on. A share's bytes go back when its last reservation is released. Closing twice is fine."""
        with self._lock:
            self._room = SHUT
            self._attention = True
            waiters = list(self._waiters)
            self._waiters.clear()
        for waiter in waiters:
            waiter.wake()  # not granted: it finds the budget closed
        self._look_around()

    def __enter__(self) -> Self:
        if self._room == SHUT:
            raise self._closed()
        ambient.enter(self)
        return self

    def __exit__(self, *_: object) -> None:
        ambient.leave(self)
        if self._parent is not None:
            self.close()

    def __reduce__(self) -> str:
        raise errors.UsageError(
            f"budget {self.name!r} cannot be pickled or copied: its bytes belong to this process.",
            hint="Reserve a lump for the other process here, and make a budget of that size there.",
        )

    def __repr__(self) -> str:
        state = "" if self._room != SHUT else ", closed"
        held, limit = units.format_bytes(self._held), units.format_bytes(self._limit)
        return f"<Budget {self.name!r} {held} of {limit} held{state}>"

    # --- the halves of a reservation ----------------------------------------------------------------------------------

    def _resize(self, reservation: Reservation, count: int) -> None:
        if self._resize_now(reservation, count):
            return
        growth = count - reservation.bytes
        if count <= self._limit and self._shedders:
            self._shedders.ask(self, max(1, growth - (self._limit - self._held)), patience_s=limits.SHED_WAIT_S)
            if self._resize_now(reservation, count):
                return
        raise self._refusal(growth, reservation.holder, f"it holds {units.format_bytes(reservation.bytes)}")

    # --- the slow way -------------------------------------------------------------------------------------------------

    def _checked(self, count: str | int, holder: str, wait_s: float) -> tuple[int, float]:
        number = errors.bytes_of(count, what="bytes")
        if not isinstance(holder, str) or not holder:
            raise errors.UsageError(f"{holder!r} names no holder.", hint="Pass a short string such as 'sort.runs'.")
        is_number = isinstance(wait_s, int | float) and not isinstance(wait_s, bool)
        if not is_number or not 0 <= wait_s <= limits.WAIT_S_MAX:
            raise errors.UsageError(f"wait_s={wait_s!r}: from 0 to {limits.WAIT_S_MAX} seconds.")
        return number, float(wait_s)

    def _try(self, count: int, holder: str, owner: int, *, patience_s: float) -> Reservation | None:
        """Without waiting, with shedding where that can help."""
        got = self._take(count, holder, owner)
        if got is not None or count > self._limit or self._waiters or not self._shedders:
            return got
        self._shedders.ask(self, max(1, count - (self._limit - self._held)), patience_s=patience_s)
        return self._take(count, holder, owner)

    # --- errors -------------------------------------------------------------------------------------------------------

    def _refusal(self, count: int, holder: str, reason: str) -> errors.BudgetExceeded:
        top = [(name, now) for name, now, _ in self.holders() if now][: limits.BUDGET_HOLDERS_SHOWN]
        kind = errors.HoldAndWait if reason == "holds" else errors.BudgetExceeded
        if count > self._limit:
            hint = f"Raise the budget to at least {units.format_bytes(count)}, or ask for less at a time."
            return kind.refusal(
                holder, asked=count, held=self._held, limit=self._limit, holders=top, reason=reason, hint=hint
            )
        reason = "" if reason == "no wait" else reason
        return kind.refusal(holder, asked=count, held=self._held, limit=self._limit, holders=top, reason=reason)


_detected_lock = threading.Lock()
_detected_budget: Budget | None = None


def _detected() -> Budget:
    """Made once for a process."""
    global _detected_budget  # noqa: PLW0603 - one for a process is what it is for
    with _detected_lock:
        if _detected_budget is None:
            _detected_budget = Budget.detect()
        return _detected_budget


def _forget_detected() -> None:
    global _detected_budget, _detected_lock  # noqa: PLW0603 - the child of a fork makes its own
    _detected_budget = None
    _detected_lock = threading.Lock()


def _larger_than_memory(limit: int) -> str:
    from flatwater.budget.detect import physical_bytes

    physical = physical_bytes()
    return f"larger than this machine's memory of {units.format_bytes(physical)}" if 0 < physical < limit else ""


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_detected)
