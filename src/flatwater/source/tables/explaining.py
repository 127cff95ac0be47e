"""What a pass would do, in the database's words, and the refusal of orders that no index serves.

Covers:     `Table.explain`, the check before the first page, the CREATE INDEX line.
Not here:   reading plans (`tables.adapters`).
Holds:      text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from flatwater import errors, units
from flatwater.source.tables import seek, statements
from flatwater.source.tables.adapters.base import Adapter, Plan
from flatwater.source.tables.order import Order
from flatwater.source.tables.shape import PageQuery, Relation


class Asked(Protocol):
    """What a verb reads."""

    @property
    def relation(self) -> Relation: ...  # noqa: D102 - as in shape
    @property
    def order(self) -> Order: ...  # noqa: D102 - as in order
    @property
    def form(self) -> Any: ...  # noqa: D102 - as in forms
    @property
    def hint(self) -> str: ...  # noqa: D102 - an index to name


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a table is read.

    Attributes:
        sql: of a page in the middle of a pass; several statements where one range ends before the page is full.
        plan: the database's, for each of them.
        is_served: whether an index serves the order: each page seeks, and sorts nothing.
        create_index: the line that would make one.
        bytes_max: of a pass.
    """

    sql: tuple[str, ...]
    plan: tuple[str, ...]
    is_served: bool
    create_index: str
    bytes_max: int

    def __str__(self) -> str:
        lines = []
        for sql, plan in zip(self.sql, self.plan, strict=True):
            lines += [sql, *(f"    {line}" for line in plan.splitlines())]
        lines.append(
            "An index serves this order." if self.is_served else f"No index serves this order. {self.create_index};"
        )
        lines.append(f"A pass holds at most {units.format_bytes(self.bytes_max)}, beside the largest row.")
        return "\n".join(lines)


def explain(adapter: Adapter, query: Asked, bytes_max: int) -> Explanation:
    """How a query is read."""
    pages, plans = _plans(adapter, query)
    return Explanation(
        tuple(map(adapter.sql_of, pages)),
        tuple(plan.text for plan in plans),
        all(plan.is_served for plan in plans),
        statements.create_index(query.relation, query.order, adapter.dialect),
        bytes_max,
    )


def check_served(adapter: Adapter, query: Asked) -> None:
    """Refuse an order that no index serves.

    Raises:
        UsageError: with the line that makes an index.
    """
    _, plans = _plans(adapter, query)
    bad = next((plan for plan in plans if not plan.is_served), None)
    if bad is None:
        return
    what = "sort the table" if bad.sorts else "read the table from its beginning"
    raise errors.UsageError(
        f"no index of {query.relation} serves the order {query.order}: every page would {what}.",
        hint=f"{statements.create_index(query.relation, query.order, adapter.dialect)}; or pass allow_scan=True.",
    )


def _plans(adapter: Adapter, query: Asked) -> tuple[list[PageQuery], list[Plan]]:
    """The pages that go on behind some row, and what the database would do for each."""
    somewhere = adapter.some_key(query.relation, query.order)
    steps = seek.steps_after(query.order, somewhere, row_values=adapter.dialect.row_values)
    pages = [PageQuery(query.relation, query.form.columns, tuple(step), query.order, 1, query.hint) for step in steps]
    with adapter.errors():
        return pages, [adapter.plan(page) for page in pages]
