"""A table in parts, for workers side by side.

Covers:     splitting by the key, a part and its verbs, estimates of how many rows there are.
Not here:   reading (`tables.table`).
Holds:      the keys at the borders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from flatwater import errors
from flatwater.source.tables.adapters.base import Adapter
from flatwater.source.tables.explaining import Asked
from flatwater.source.tables.order import OrderBy
from flatwater.source.tables.passes import Batches, Rows
from flatwater.source.tables.reading import Key

if TYPE_CHECKING:
    from flatwater.source.tables.table import Table


@final
class CountEstimate(int):
    """A number of rows, and how it is known (`.how`).

    >>> count = CountEstimate(5, "counting")
    >>> count + 1, count.how
    (6, 'counting')
    """

    how: str

    def __new__(cls, count: int, how: str) -> CountEstimate:
        """A number, and how it is known."""
        made = super().__new__(cls, count)
        made.how = how
        return made

    def __repr__(self) -> str:
        return f"about {int(self)} rows, by {self.how}"

    def __reduce__(self) -> tuple[Any, ...]:
        return CountEstimate, (int(self), self.how)


@final
@dataclass(frozen=True, slots=True)
class Range:
    """A part of a table.

    Attributes:
        table: that it is a part of.
        token: where it begins and ends; its verbs go on from any token of their own passes with `after=`.
        order_by: of the split.
    """

    table: Table
    token: str
    order_by: OrderBy
    allow_scan: bool = False

    def find_each(self, **options: Any) -> Rows[Any]:
        """As `Table.find_each`, of this part."""
        return self.table.find_each(**self._options(options))

    def batches(self, **options: Any) -> Batches[Any]:
        """As `Table.batches`, of this part."""
        return self.table.batches(**self._options(options))

    def pluck(self, *columns: str, **options: Any) -> Rows[Any]:
        """As `Table.pluck`, of this part."""
        return self.table.pluck(*columns, **self._options(options))

    def _options(self, options: dict[str, Any]) -> dict[str, Any]:
        fixed = {"order_by", "start", "finish"}.intersection(options)
        if fixed:
            raise errors.UsageError(
                f"a part has its {', '.join(sorted(fixed))} already.", hint="Give them to ranges()."
            )
        return {"after": self.token, "order_by": self.order_by, "allow_scan": self.allow_scan, **options}


def borders(adapter: Adapter, query: Asked, count: int, ends: tuple[Key, Key]) -> list[Key]:
    """The last keys of all parts but the last one, in order, at most `count - 1`."""
    (least,), (most,) = (ends[0][:1], ends[1][:1])
    numbers = len(query.order.columns) == 1 and type(least) is int and type(most) is int
    if numbers:
        low, high = sorted((int(str(least)), int(str(most))))
        width = high - low + 1
        cuts = sorted({low + width * part // count - 1 for part in range(1, count)} - {low - 1, high})
        return [(cut,) for cut in (reversed(cuts) if query.order.columns[0].descending else cuts)]
    return adapter.borders(query.relation, query.order, count)
