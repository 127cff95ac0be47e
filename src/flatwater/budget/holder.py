"""What one name holds in a budget, now and at most.

Covers:     the running figures of a holder, and a table of them that stays bounded.
Not here:   booking (`budget.ledger`), showing them (`budget.explain`).
Holds:      about 400 bytes a name, at most `limits.BUDGET_HOLDERS_MAX` of them beside those that hold something, or a
            quarter of those where that is more.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, final

from flatwater import limits

if TYPE_CHECKING:
    from flatwater.budget.budget import Budget

_BUSY_PER_IDLE = 4  # where many names hold something, one idle name is remembered for so many of them


@final
class Holder:
    """Bytes held under one name. Guarded by its budget's lock.

    Attributes:
        name: as given to `reserve`.
        now: bytes held.
        peak: the most ever held at once.
        owned: of `now`, the bytes whose thread or task was ready to wait for them. The rest was taken without waiting,
            by nobody knows whom: knowing costs time.
        shares: the budgets inside, if the name is a share's.
    """

    __slots__ = ("name", "now", "owned", "peak", "shares")

    def __init__(self, name: str) -> None:
        self.name = name
        self.now = 0
        self.peak = 0
        self.owned = 0
        self.shares: list[weakref.ref[Budget]] = []


@final
class HolderTable:
    """The holders of one budget by name. Guarded by its budget's lock.

    Attributes:
        by_name: a plain dict, because the hot path looks names up in it.
    """

    __slots__ = ("_look_at", "by_name")

    def __init__(self) -> None:
        self.by_name: dict[str, Holder] = {}
        self._look_at = limits.BUDGET_HOLDERS_MAX  # names, at which it looks for idle ones

    def add(self, name: str) -> None:
        """Enter a name, if it is not there yet."""
        if len(self.by_name) >= self._look_at:
            self._forget_idle()
        self.by_name.setdefault(name, Holder(name))  # one step: a finalizer may have entered the name meanwhile

    def _forget_idle(self) -> None:
        """Forget names that hold nothing and never held much: names made per item would grow without end.

        Looking at all names costs time for each of them, so the next look is due only after a fixed share of them is new.
        """
        idle = sorted(
            (holder for holder in list(self.by_name.values()) if not holder.now), key=lambda known: known.peak
        )
        busy = len(self.by_name) - len(idle)
        for name in [holder.name for holder in idle[: (len(idle) + 1) // 2]]:
            # Looked up again, and without a call before `del`: a finalizer may have made it busy meanwhile.
            if name in self.by_name and not self.by_name[name].now:
                del self.by_name[name]
        self._look_at = busy + max(limits.BUDGET_HOLDERS_MAX, busy // _BUSY_PER_IDLE)
