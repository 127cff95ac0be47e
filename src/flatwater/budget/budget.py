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
from flatwater.budget.ledger import NAME_HOLDS, OWNER_HOLDS, SHUT, WHOLE, Books, Ledger
from flatwater.budget.pressure import PressureHandle, Shedders
from flatwater.budget.reservation import Reservation, unlock
from flatwater.budget.waiting import TaskWaiter, ThreadWaiter, task_number, thread_number

if TYPE_CHECKING:
    from flatwater.budget.explain import Explanation
    from flatwater.budget.waiting import Waiter

logger = logging.getLogger("flatwater.budget")
NO_WAIT = 0.0  # compared by identity: whatever else is passed is checked, whether there is room or not


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
        """The ambient budget: of the innermost `with` around the caller, else the process's: that of `fw.watch`, or a detected one."""
        return ambient.current() or _of_process()

    @property
    def limit(self) -> int:
        """Bytes."""
        return self._limit

    @property
    def held(self) -> int:
        """Bytes promised now; shares count with all of theirs."""
        self._settle()
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
        return self._read().largest_first()

    def explain(self) -> Explanation:
        """Who holds what, now and at most: a table when printed, `.to_dict()` for JSON."""
        from flatwater.budget.explain import explanation_of

        return explanation_of(self)

    # --- reserving ----------------------------------------------------------------------------------------------------

    def reserve(self, count: str | int, holder: str, wait_s: float = NO_WAIT) -> Reservation:
        """Promise `count` bytes to `holder`.

        With `wait_s`, wait up to so many seconds; those who wait are served in the order they came, and nobody passes
        them. Only a holder of nothing may wait: a name may hold bytes that other threads or tasks waited for, and
        none besides. What can never fit is refused at once.

        Raises:
            BudgetExceeded: it does not fit, also after shedding and waiting; `HoldAndWait` where waiting was not allowed.
            ClosedError: the budget was closed, or belongs to the process this one was forked from.
            UsageError: not a size, a name or a time.
        """
        if type(count) is int and type(holder) is str and wait_s is NO_WAIT and holder and count >= 0:
            got = Reservation(count)
            lock = self._lock
            try:
                # `with` costs twice as much, and this is the hot path. Inside `try`, because a signal handler may raise
                # on the return of `acquire`, and would leave the lock to nobody.
                lock.acquire()
                # From here to the last store: no call and no loop (rule 2 of `ledger`); `Ledger._book`, written out.
                try:
                    record = self._holders[holder]
                    held = self._held + count
                    if held <= self._room and not self._attention:
                        self._held = held
                        if held > self._peak:  # noqa: PLR1730 - a call of max() costs 80 ns
                            self._peak = held
                        record.now = now = record.now + count
                        if now > record.peak:  # noqa: PLR1730 - the same
                            record.peak = now
                        got._holder = record  # noqa: SLF001 - two halves of one noun
                        got._budget = self  # noqa: SLF001 - the same
                except KeyError:
                    pass  # a new name: the slow way enters it
            except BaseException:
                unlock(lock)
                raise
            lock.release()
            if got._budget is not None:  # noqa: SLF001 - the same
                return got
        return self._reserve_slowly(count, holder, wait_s)

    async def areserve(self, count: str | int, holder: str, wait_s: float = NO_WAIT) -> Reservation:
        """`reserve` for coroutines: the event loop goes on. Cancelling leaves the queue and takes nothing.

        Shedders run in the event loop's thread.
        """
        import asyncio

        count, wait_s = self._checked(count, holder, wait_s)
        owner = task_number(asyncio.current_task()) if wait_s else 0
        got = self._try(count, holder, owner, patience_s=0.0)
        if got is not None:
            return got
        if not wait_s:
            return self._take_or_refuse(count, holder)
        waiter = TaskWaiter(Reservation(count, owner), holder, asyncio.get_running_loop())
        try:
            self._join_or_refuse(waiter)
            if not waiter.granted:
                await asyncio.wait((waiter.future,), timeout=wait_s)
            return self._granted(waiter, wait_s)
        except BaseException:
            self._abandon(waiter)
            raise

    def try_reserve(self, count: str | int, holder: str) -> Reservation | None:
        """`reserve` without waiting, for those who have another way: None instead of `BudgetExceeded`."""
        count, _ = self._checked(count, holder, 0.0)
        return self._try(count, holder, 0, patience_s=limits.SHED_WAIT_S)

    def share(self, name: str, count: str | int, wait_s: float = NO_WAIT) -> Budget:
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
            inside = reservation._holder.shares  # noqa: SLF001 - two halves of one noun
            inside.append(weakref.ref(budget))
            for gone in [known for known in inside if known() is None]:
                inside.remove(gone)
        self._settle()
        return budget

    # --- pressure -----------------------------------------------------------------------------------------------------

    def on_pressure(self, shedder: Callable[[int], object], name: str = "") -> PressureHandle:
        """Have `shedder(wanted)` asked to give bytes back before anything is refused.

        It is called with the bytes wanted, in the thread of whoever asks, without any lock and never inside itself; it
        releases reservations and returns the bytes it freed. One that raises is logged, and freed nothing. A bound
        method's object is held weakly by the budget, everything else strongly; the handle holds both.

        Raises:
            ClosedError: the budget belongs to the process this one was forked from.
            LimitReached: there are `limits.BUDGET_SHEDDERS_MAX` already.
            UsageError: it cannot be called, or would have to be awaited.
        """
        self._refuse_fork()
        return self._shedders.add(shedder, name)

    def shed(self, wanted: str | int) -> int:
        """Ask this budget's shedders, and those of its shares, for `wanted` bytes; returns what they freed.

        For those who see that the process is too large although the promises are kept, such as a watcher. What they freed
        is what they report: they may free memory that nobody had reserved.

        Raises:
            ClosedError: the budget belongs to the process this one was forked from.
        """
        self._refuse_fork()
        wanted = errors.bytes_of(wanted, what="wanted")
        freed = self._shedders.ask(self, wanted, patience_s=limits.SHED_WAIT_S)
        for share in self.shares():
            if freed >= wanted:
                break
            freed += share.shed(wanted - freed)
        return freed

    def shares(self) -> list[Budget]:
        """The budgets inside this one that are open, in the order of their holders."""
        return self._read_with_shares()[1]

    def _read_with_shares(self) -> tuple[Books, list[Budget]]:
        self._settle()
        with self._lock:
            books = self._books()
            found = [known() for holder in list(self._holders.values()) for known in holder.shares]
        self._settle()
        return books, [share for share in found if share is not None and share._parent is not None]  # noqa: SLF001 - its own kind

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
        if count <= self._limit and self._shedders:
            self._shedders.make_room(self, count - reservation.bytes, patience_s=limits.SHED_WAIT_S)
        refused = self._resize_or_read(reservation, count)
        if refused is not None:
            held, books = refused
            raise self._refusal(count - held, reservation.holder, books, f"it holds {units.format_bytes(held)}")

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
        self._shedders.make_room(self, count, patience_s=patience_s)
        return self._take(count, holder, owner)

    def _reserve_slowly(self, count: str | int, holder: str, wait_s: float) -> Reservation:
        count, wait_s = self._checked(count, holder, wait_s)
        owner = thread_number() if wait_s else 0
        got = self._try(count, holder, owner, patience_s=limits.SHED_WAIT_S)
        if got is not None:
            return got
        if not wait_s:
            return self._take_or_refuse(count, holder)
        waiter = ThreadWaiter(Reservation(count, owner), holder)
        try:
            self._join_or_refuse(waiter)
            if not waiter.granted:
                waiter.sleep(wait_s)
            return self._granted(waiter, wait_s)
        except BaseException:
            self._abandon(waiter)
            raise

    def _take_or_refuse(self, count: int, holder: str) -> Reservation:
        """The last try and the figures of the refusal are of one moment."""
        found = self._take_or_read(count, holder)
        if isinstance(found, Reservation):
            return found
        reason = f"{found.waiting} wait before it" if found.waiting else ""
        raise self._refusal(count, holder, found, WHOLE if count > self._limit else reason)

    def _join_or_refuse(self, waiter: Waiter) -> None:
        refused = self._join(waiter)
        if refused is not None:
            reason, books = refused
            raise self._refusal(waiter.got.bytes, waiter.holder, books, reason)

    def _granted(self, waiter: Waiter, wait_s: float) -> Reservation:
        """What the waiter got, after it was woken or its time was over."""
        refused = self._leave(waiter)
        if refused is None:
            return waiter.got
        if self._room == SHUT:
            raise self._closed()
        before, books = refused
        others = f" behind {before} other{'s' if before > 1 else ''}" if before else ""
        reason = f"waited {units.format_duration(wait_s)}{others}"
        raise self._refusal(waiter.got.bytes, waiter.holder, books, reason)

    # --- errors -------------------------------------------------------------------------------------------------------

    def _refusal(self, count: int, holder: str, books: Books, reason: str) -> errors.BudgetExceeded:
        top = [(name, now) for name, now, _ in books.largest_first() if now][: limits.BUDGET_HOLDERS_SHOWN]
        asked, held, limit = count, books.held, self._limit
        if reason == NAME_HOLDS:
            return errors.HoldAndWait.refusal(holder, asked=asked, held=held, limit=limit, holders=top)
        refusal = errors.BudgetExceeded.refusal(holder, asked=asked, held=held, limit=limit, holders=top, reason=reason)
        if reason == OWNER_HOLDS:
            hint = "Reserve once, all that is needed, before the work starts; or ask without wait_s."
            return errors.HoldAndWait(refusal.args[0], asked=asked, held=held, limit=limit, holders=top, hint=hint)
        if asked > limit:
            refusal.hint = f"Raise the budget to at least {units.format_bytes(asked)}, or ask for less at a time."
        return refusal


_process_lock = threading.RLock()  # a signal handler may ask while it is being made
_process_budget: Budget | None = None


def set_process_budget(budget: Budget) -> None:
    """Have `Budget.current()` find this one in every thread that no `with` is open in; a forked child detects its own."""
    global _process_budget  # noqa: PLW0603 - one for a process is what it is for
    with _process_lock:
        _process_budget = budget


def _of_process() -> Budget:
    """The one that was set, or what is detected, once."""
    global _process_budget  # noqa: PLW0603 - one for a process is what it is for
    with _process_lock:
        found = _process_budget or Budget.detect()
        if _process_budget is None:  # still: see above
            _process_budget = found
        return _process_budget


def _forget_process() -> None:
    global _process_budget, _process_lock  # noqa: PLW0603 - the child of a fork makes its own
    _process_budget = None
    _process_lock = threading.RLock()


def _larger_than_memory(limit: int) -> str:
    from flatwater.budget.detect import physical_bytes

    physical = physical_bytes()
    return f"larger than this machine's memory of {units.format_bytes(physical)}" if 0 < physical < limit else ""


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_process)
