"""Bytes that one holder was promised, until it gives them back.

Covers:     growing, shrinking, releasing; being found when it was forgotten.
Not here:   who gets bytes and who waits (`budget.budget`).
Holds:      six words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, final

from flatwater import errors

if TYPE_CHECKING:
    from flatwater.budget.holder import Holder
    from flatwater.budget.ledger import Ledger


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

    def __init__(self, budget: Ledger, holder: Holder, count: int, owner: int = 0) -> None:
        self._budget: Ledger | None = budget
        self._holder = holder
        self._owner = owner  # the thread or task that was ready to wait for it, and may not wait for more; else 0
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
        lock.acquire()  # `with` costs twice as much, and this is the hot path
        try:
            if self._budget is None:
                return
            self._budget = None
            count = self.bytes
            self.bytes = 0
            budget._held -= count  # noqa: SLF001
            if self._owner:
                self._holder.give_back(count, self._owner)
            else:
                self._holder.now -= count
            if not budget._attention:  # noqa: SLF001
                return
        finally:
            lock.release()
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
        # The collector runs this at any moment, also inside the budget's own lock: so it only leaves a note.
        budget = self._budget
        if budget is not None:
            budget._orphans.append((self._holder, self.bytes, self._owner))  # noqa: SLF001 - two halves of one noun
            budget._attention = True  # noqa: SLF001 - after the note: whoever sees it finds the note

    def __reduce__(self) -> str:
        raise errors.UsageError(
            "a reservation cannot be pickled or copied: its bytes are promised to this process.",
            hint="Send the number of bytes, and reserve it there.",
        )

    def __repr__(self) -> str:
        return f"<Reservation {self._holder.name!r} {self.bytes} bytes{'' if self._budget else ', released'}>"
