"""What the watcher asks of a budget, and nothing more: `fw.Budget` offers it, and so may anything else.

Covers:     the protocol, and telling a budget from a plain size.
Not here:   counting (`budget`), the gate's own protocol (`watch.ladder`).
Holds:      nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeGuard

from flatwater.watch.ladder import Gate

NEEDED = ("limit", "held", "gate", "holders", "shed")


class Watched(Protocol):
    """A budget as the watcher sees it. All of it may be asked from the watcher's thread."""

    @property
    def limit(self) -> int:
        """Its bytes."""

    @property
    def held(self) -> int:
        """Promised now, bytes."""

    @property
    def gate(self) -> Gate:
        """Intake."""

    def holders(self) -> Iterable[Iterable[object]]:
        """Who holds what: rows that begin with a name and bytes."""

    def shed(self, bytes_wanted: int, /) -> int:
        """Ask shedders for bytes; what they gave."""


def is_watched(budget: object) -> TypeGuard[Watched]:
    """Whether `budget` can be watched, rather than being a size.

    >>> is_watched("64 MiB")
    False
    """
    return all(hasattr(budget, name) for name in NEEDED)


def holder_pairs(budget: object) -> list[tuple[str, int]]:
    """`(name, bytes)` of each of a budget's holders; none of a budget that lists none.

    >>> from types import SimpleNamespace
    >>> holder_pairs(SimpleNamespace(holders=lambda: [("cache", 5, 9)]))
    [('cache', 5)]
    """
    holders = getattr(budget, "holders", None)
    if holders is None:
        return []
    return [(str(name), int(count)) for name, count, *_peak in holders()]
