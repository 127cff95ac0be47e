"""Bytes that one holder was promised, until it gives them back.

Covers:     growing, shrinking, releasing; being found when it was forgotten.
Not here:   who gets bytes and who waits (`budget.budget`).
Holds:      six words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, final

from flatwater import errors

if TYPE_CHECKING:
    import threading

    from flatwater.budget.holder import Holder
    from flatwater.budget.ledger import Ledger


def unlock(lock: threading.RLock) -> None:
    """Let go of a lock after an exception that came while it was being taken: it may be held, or not yet."""
    try:  # noqa: SIM105 - contextlib's way makes calls before it releases, and a second signal could stop it there
        lock.release()
    except RuntimeError:
        pass


@final
class Reservation:
    """Bytes held in a budget. Made by `Budget.reserve`, never directly.

    A context manager (sync and async) that releases on leaving. Thread-safe. One that is garbage collected unreleased
    is returned at the budget's next call, and reported as an orphan: that is a bug in the program, not a way to release.

    Attributes:
        bytes: held now; 0 once released.
        peak: the most it ever held.

    >>> from flatwater.budget import Budget
    >>> budget = Budget("1 MiB")
    >>> with budget.reserve("64 KiB", "buffer") as reservation:
    ...     reservation.resize("96 KiB")
    ...     budget.held
    98304
    >>> budget.held, reservation.bytes, reservation.peak
    (0, 0, 98304)
    """

    __slots__ = ("__weakref__", "_budget", "_holder", "_owner", "bytes", "peak")

    _holder: Holder  # from when it is booked

    def __init__(self, count: int, owner: int = 0) -> None:
        # Made before the lock is taken and booked inside it: nothing that can start the collector happens in there.
        self._budget: Ledger | None = None  # until it is booked, and from when it is released
        self._owner = owner  # number of the thread or task that was ready to wait for it; else 0
        self.bytes = count
        self.peak = count

    @property
    def holder(self) -> str:
        """The name it was reserved under."""
        return self._holder.name

    def resize(self, count: str | int) -> None:
        """Hold `count` bytes from now on.

        Growing asks like `Budget.reserve` does, except that it does not queue behind those who wait: a holder that grows
        is one that will finish. Where it is refused, the reservation stays as it was.

        Raises:
            BudgetExceeded: the growth does not fit, also after shedding.
            ClosedError: it was released.
        """
        budget = self._budget
        if budget is None:
            raise errors.ClosedError(f"this reservation of {self._holder.name!r} was released.")
        budget._resize(self, errors.bytes_of(count, what="bytes"))  # noqa: SLF001 - two halves of one noun

    def release(self) -> None:
        """Give all bytes back. Releasing twice is fine."""
        budget = self._budget
        if budget is None:
            return
        lock = budget._lock  # noqa: SLF001 - two halves of one noun, here and below
        try:
            lock.acquire()  # `with` costs twice as much, and this is the hot path; inside `try`: see `Budget.reserve`
            # From here to the last store: no call and no loop, so that nothing else of this thread runs in between.
            if self._budget is not None:
                self._budget = None
                count = self.bytes
                self.bytes = 0
                budget._held -= count  # noqa: SLF001
                self._holder.now -= count
                if self._owner:
                    self._holder.owned -= count
                    owners = budget._owners  # noqa: SLF001
                    owners[self._owner] -= 1
                    if not owners[self._owner]:
                        del owners[self._owner]
            attention = budget._attention  # noqa: SLF001
        except BaseException:
            unlock(lock)
            raise
        lock.release()
        if attention:
            budget._look_around()  # noqa: SLF001

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release()

    def __del__(self) -> None:
        # The collector runs this at any moment, also inside the budget's own lock: so it only leaves a note. The note is
        # the reservation itself: another finalizer of the same garbage may come after this one, and release it.
        try:
            budget = self._budget
        except AttributeError:
            return  # a signal handler raised while it was made
        if budget is not None:
            budget._orphans.append(self)  # noqa: SLF001 - two halves of one noun
            budget._attention = True  # noqa: SLF001 - after the note: whoever sees it finds the note

    def __reduce__(self) -> str:
        raise errors.UsageError(
            "a reservation cannot be pickled or copied: its bytes are promised to this process.",
            hint="Send the number of bytes, and reserve it there.",
        )

    def __repr__(self) -> str:
        return f"<Reservation {self._holder.name!r} {self.bytes} bytes{'' if self._budget else ', released'}>"
