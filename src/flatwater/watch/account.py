"""What was promised beside what was seen: the budget's own count, the operating system's, and the difference, named.

Covers:     one moment of this process; a table for people, a dict for JSON.
Not here:   the count itself (`budget`), the sizes themselves (`meter`), claims about growth (`proof`).
Holds:      the figures of that moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from flatwater import units
from flatwater.meter import allocators
from flatwater.meter.probe import usage
from flatwater.watch.watched import holder_pairs

HOLDERS_SHOWN = 10


class Counted(Protocol):
    """What is asked of a budget."""

    @property
    def limit(self) -> int:
        """Its bytes."""

    @property
    def held(self) -> int:
        """Promised now."""

    @property
    def peak(self) -> int:
        """The most that was promised at once."""


@dataclass(frozen=True, slots=True)
class Account:
    """Promised and seen; bytes, -1 where unknown.

    Attributes:
        limit: of the budget.
        promised: held in the budget now.
        promised_peak: the most it held.
        holders: `(name, bytes)`, largest first.
        rss: resident, as the operating system saw it.
        anon: of these, anonymous: what compares with `promised`.
        rss_peak: the resident high-water mark.
        reusable: freed by the program, kept by its allocators.
        doubt: what the platform does not tell.
    """

    limit: int
    promised: int
    promised_peak: int
    rss: int
    anon: int
    rss_peak: int
    reusable: int
    doubt: str = ""
    holders: tuple[tuple[str, int], ...] = field(default=())

    @property
    def difference(self) -> int:
        """Seen minus promised."""
        return (self.anon if self.anon >= 0 else self.rss) - self.promised

    @property
    def words(self) -> str:
        """What the difference is made of, as far as it can be told."""
        size = units.format_bytes(abs(self.difference))
        if self.difference < 0:
            return f"{size} are promised and not touched yet, or lie in files and other processes"
        if self.reusable > 0:
            kept = units.format_bytes(min(self.reusable, self.difference))
            rest = units.format_bytes(max(0, self.difference - self.reusable))
            return f"{size} nobody promised: {kept} freed but kept by allocators, {rest} the interpreter, modules and code that reserves nothing"
        return f"{size} nobody promised: the interpreter, modules, code that reserves nothing, and what allocators keep"

    def to_dict(self) -> dict[str, object]:
        """For JSON; unknown figures are None."""
        return {
            "promised": {
                "limit_bytes": self.limit,
                "held_bytes": self.promised,
                "peak_bytes": self.promised_peak,
                "holders": [{"name": name, "bytes": count} for name, count in self.holders],
            },
            "seen": {
                "rss_bytes": self.rss,
                "anon_bytes": _known(self.anon),
                "rss_peak_bytes": _known(self.rss_peak),
                "reusable_bytes": _known(self.reusable),
            },
            "difference_bytes": self.difference,
            "words": self.words,
            "doubt": self.doubt,
        }

    def __str__(self) -> str:
        rows = [
            ("promised", self.promised, f"of {_size(self.limit)}, at most {_size(self.promised_peak)} at once"),
            *((f"  {name}", count, "") for name, count in self.holders[:HOLDERS_SHOWN]),
            ("seen (anonymous)", self.anon, f"of {_size(self.rss)} resident, at most {_size(self.rss_peak)}"),
            ("difference", self.difference, self.words),
        ]
        width = max(len(name) for name, _count, _note in rows)
        lines = [f"{name:<{width}}  {_size(count):>10}  {note}".rstrip() for name, count, note in rows]
        return "\n".join([*lines, *([f"doubt: {self.doubt}"] if self.doubt else [])])


def promised_and_seen(budget: Counted | None = None) -> Account:
    """What `budget` counts beside what the operating system sees of this process, now. About 0.2 ms.

    Args:
        budget: the ambient one by default.

    Promises of worker processes are in the budget, but their memory is not in this process: the difference says so.
    Thread-safe; the two sides are read one after the other, so a running program moves between them.

    >>> from types import SimpleNamespace
    >>> account = promised_and_seen(SimpleNamespace(limit=64 << 20, held=1 << 10, peak=2 << 10))
    >>> account.promised, account.difference == account.anon - 1024
    (1024, True)
    """
    if budget is None:
        budget = _ambient()
    seen = usage()
    return Account(
        limit=budget.limit,
        promised=budget.held,
        promised_peak=budget.peak,
        rss=seen.rss,
        anon=seen.anon,
        rss_peak=seen.rss_peak,
        reusable=reusable_bytes(),
        doubt=seen.doubt,
        holders=tuple(sorted(holder_pairs(budget), key=lambda pair: -pair[1])),
    )


def heap_bytes() -> int | None:
    """Bytes in live objects of Python's own allocator, or None where it does not tell."""
    return _known(allocators.arenas().used)


def reusable_bytes() -> int:
    """Freed by the program and kept by its allocators, in bytes; -1 where it is not told."""
    return allocators.sum_known(allocators.arenas().free, allocators.malloc().free)


def _ambient() -> Counted:
    from flatwater import budget

    found: Counted = budget.Budget.current()
    return found


def _known(count: int) -> int | None:
    return count if count >= 0 else None


def _size(count: int) -> str:
    return units.format_bytes(count) if count != -1 else "unknown"
