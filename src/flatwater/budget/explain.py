"""Who holds what in a budget: a table for people, a dict for JSON.

Covers:     holders now and at most, shares with their own holders inside, what is free, what was lost and found.
Not here:   what the process really takes (`meter`), the two side by side (`watch.account`).
Holds:      one row for each holder, copied at one moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from flatwater import limits, units

if TYPE_CHECKING:
    from flatwater.budget.budget import Budget
    from flatwater.budget.ledger import Books


@final
@dataclass(frozen=True, slots=True)
class Line:
    """One holder.

    Attributes:
        name: of the holder.
        now: bytes held.
        peak: the most it held at once.
        depth: 0 in the budget itself, 1 inside a share of it, and so on.
    """

    name: str
    now: int
    peak: int
    depth: int


@final
@dataclass(frozen=True, slots=True)
class Explanation:
    """A budget at one moment.

    Attributes:
        name: of the budget.
        limit: its bytes.
        held: promised now.
        peak: promised at most.
        source: where the limit comes from, in words; empty for one that was simply given.
        lines: holders, largest first, those of a share below it.
        waiting: how many wait for bytes.
        orphans: reservations that were dropped without release, and their bytes; returned to the budget.
    """

    name: str
    limit: int
    held: int
    peak: int
    source: str
    lines: tuple[Line, ...]
    waiting: int
    orphans: tuple[int, int]

    @property
    def free(self) -> int:
        """Bytes not promised."""
        return self.limit - self.held

    def to_dict(self) -> dict[str, object]:
        """For JSON; bytes throughout."""
        return {
            "name": self.name,
            "limit": self.limit,
            "held": self.held,
            "peak": self.peak,
            "free": self.free,
            "source": self.source,
            "waiting": self.waiting,
            "orphans": self.orphans[0],
            "orphaned_bytes": self.orphans[1],
            "holders": [
                {"name": line.name, "now": line.now, "peak": line.peak, "depth": line.depth} for line in self.lines
            ],
        }

    def __str__(self) -> str:
        names = ["  " * line.depth + line.name for line in self.lines]
        width = max(map(len, [*names, "holder", "held"]))
        show = units.format_bytes
        title = f"budget {self.name!r} of {show(self.limit)}" + (f" ({self.source})" if self.source else "")
        rows = [title, f"  {'holder':<{width}}  {'now':>10}  {'peak':>10}"]
        rows += [
            f"  {name:<{width}}  {show(line.now):>10}  {show(line.peak):>10}"
            for name, line in zip(names, self.lines, strict=True)
        ]
        rows.append(f"  {'held':<{width}}  {show(self.held):>10}  {show(self.peak):>10}")
        rows.append(f"  {'free':<{width}}  {show(self.free):>10}")
        if self.waiting:
            rows.append(f"  {self.waiting} waiting for bytes")
        if self.orphans[0]:
            count, lost = self.orphans
            rows.append(f"  {count} reservations ({show(lost)}) were dropped without release; their bytes are returned")
        return "\n".join(rows)


def explanation_of(budget: Budget) -> Explanation:
    """The budget as it is now. Each share is read under its own lock: the table is of one moment for each level."""
    books, lines = _read(budget, 0)
    return Explanation(
        name=budget.name,
        limit=budget.limit,
        held=books.held,
        peak=books.peak,
        source=budget.source,
        lines=tuple(lines),
        waiting=books.waiting,
        orphans=books.orphans,
    )


def _read(budget: Budget, depth: int) -> tuple[Books, list[Line]]:
    books, inside = budget._read_with_shares()  # noqa: SLF001 - two halves of one noun
    shares: dict[str, list[Budget]] = {}
    for share in inside:
        shares.setdefault(share.name, []).append(share)
    lines: list[Line] = []
    for name, now, peak in books.largest_first()[: limits.BUDGET_HOLDERS_MAX]:
        lines.append(Line(name, now, peak, depth))
        for share in shares.get(name, ()):
            lines += _read(share, depth + 1)[1]
    return books, lines
