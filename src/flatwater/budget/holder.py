"""What one name holds in a budget, now and at most.

Covers:     the running figures of a holder, and a table of them that stays bounded.
Not here:   showing them (`budget.explain`).
Holds:      about 400 bytes a name, at most `limits.BUDGET_HOLDERS_MAX` of them beside those that hold something now.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, final

from flatwater import errors, limits

if TYPE_CHECKING:
    from flatwater.budget.budget import Budget


@final
class Holder:
    """Bytes held under one name. Guarded by its budget's lock.

    Attributes:
        name: as given to `reserve`.
        now: bytes held.
        peak: the most ever held at once.
        owners: how many reservations each thread (its ident) or task (its id) has that was ready to wait for them.
        owned: the bytes of those. The rest of `now` was taken without waiting, by nobody knows whom: knowing costs time.
        shares: the budgets inside, if the name is a share's.
    """

    __slots__ = ("name", "now", "owned", "owners", "peak", "shares")

    def __init__(self, name: str) -> None:
        self.name = name
        self.now = 0
        self.peak = 0
        self.owned = 0
        self.owners: dict[int, int] = {}
        self.shares: list[weakref.ref[Budget]] = []

    def may_wait(self, owner: int) -> bool:
        """Whether all it holds is somebody else's: then waiting cannot be waiting for oneself."""
        return self.now == self.owned and owner not in self.owners

    def take(self, count: int, owner: int) -> None:
        """Book a new reservation; owner 0 is nobody known."""
        self.now += count
        self.peak = max(self.peak, self.now)
        if owner:
            self.owned += count
            self.owners[owner] = self.owners.get(owner, 0) + 1

    def give_back(self, count: int, owner: int) -> None:
        """Book the end of one."""
        self.now -= count
        if owner:
            self.owned -= count
            self.owners[owner] -= 1
            if not self.owners[owner]:
                del self.owners[owner]

    def resize(self, growth: int, owner: int) -> None:
        """Book more or less for one."""
        self.now += growth
        self.peak = max(self.peak, self.now)
        if owner:
            self.owned += growth


def add_holder(holders: dict[str, Holder], name: str) -> Holder:
    """Enter a name that is not there yet; call it with the budget's lock held.

    Raises:
        UsageError: the name is empty or not a string.
    """
    if not isinstance(name, str) or not name:
        raise errors.UsageError(f"{name!r} names no holder.", hint="Pass a short string such as 'sort.runs'.")
    if len(holders) >= limits.BUDGET_HOLDERS_MAX:
        # Names made per item would grow without end: those that hold nothing and never held much are forgotten.
        idle = sorted(
            (holder for holder in holders.values() if not holder.now and not holder.owners),
            key=lambda holder: holder.peak,
        )
        for holder in idle[: max(1, len(idle) // 2)]:
            del holders[holder.name]
    holder = holders[name] = Holder(name)
    return holder
