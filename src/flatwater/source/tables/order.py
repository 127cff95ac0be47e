"""The order in which a table is read: columns, their directions, where NULLs stand, and the key that breaks ties.

Covers:     reading what users write ("-created_at", "created_at desc, id", a sequence of these), the tie-breaker.
Not here:   seeking in that order (`tables.seek`), whether an index serves it (`tables.explaining`).
Holds:      a few names.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from flatwater import errors

_DIRECTIONS = {"asc": False, "desc": True}
OrderBy = str | Sequence[str] | None


class OrderColumn(NamedTuple):
    """One column of an order.

    Attributes:
        name: of the column.
        descending: largest first.
        nullable: whether NULL can stand in it.
        nulls_first: whether NULLs come before all values in this direction, as the database sorts by itself.
    """

    name: str
    descending: bool
    nullable: bool
    nulls_first: bool

    def __str__(self) -> str:
        return f"{self.name} desc" if self.descending else self.name


class Order(NamedTuple):
    """A total order: its last columns are a unique key."""

    columns: tuple[OrderColumn, ...]

    def __str__(self) -> str:
        return ", ".join(map(str, self.columns))

    @property
    def names(self) -> tuple[str, ...]:
        """Of its columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def is_uniform(self) -> bool:
        """Whether all columns go one way and none can be NULL: then one comparison of rows seeks."""
        first = self.columns[0].descending
        return all(column.descending == first and not column.nullable for column in self.columns)

    def reversed(self) -> Order:
        """The same rows, last first."""
        return Order(
            tuple(
                column._replace(descending=not column.descending, nulls_first=not column.nulls_first)
                for column in self.columns
            )
        )


def terms(order_by: OrderBy) -> list[tuple[str, bool]]:
    """What a user wrote, as (column, descending).

    Raises:
        UsageError: it is not text, or a direction is no direction.

    >>> terms("-created_at, id"), terms(["name DESC", "id"])
    ([('created_at', True), ('id', False)], [('name', True), ('id', False)])
    """
    if order_by is None:
        return []
    written = order_by.split(",") if isinstance(order_by, str) else order_by
    if not isinstance(written, (list, tuple)):
        raise errors.UsageError(
            f"order_by={order_by!r} is no order.", hint='Write column names, as in order_by="-created_at, id".'
        )
    return [_term(each, order_by) for each in written]


def _term(written: object, whole: object) -> tuple[str, bool]:
    if not isinstance(written, str) or not written.strip():
        raise errors.UsageError(
            f"order_by={whole!r} is no order.", hint='Write column names, as in order_by="-created_at, id".'
        )
    text = written.strip()
    if text.startswith("-"):
        return text[1:].strip(), True
    name, _, direction = text.rpartition(" ")
    if name and direction.lower() in _DIRECTIONS:
        return name.strip(), _DIRECTIONS[direction.lower()]
    return text, False


def resolve(
    order_by: OrderBy, *, key: Sequence[str], columns: Iterable[tuple[str, bool]], nulls_are_smallest: bool
) -> Order:
    """The whole order: what the user wrote, and those columns of the key that are missing from it.

    Args:
        order_by: what the user wrote; None for the key alone.
        key: columns that are unique together.
        columns: (name, nullable) of all there are.
        nulls_are_smallest: how the database sorts NULL: below all values, or above them.

    Raises:
        UsageError: an unknown column, one that is named twice.
    """
    nullable = dict(columns)
    wanted = terms(order_by)
    named = [name for name, _ in wanted]
    check_columns(named, nullable, what="order_by")
    repeated = sorted({name for name in named if named.count(name) > 1})
    if repeated:
        raise errors.UsageError(f"order_by names {', '.join(repeated)} twice.", hint="Name each column once.")
    # The key goes the way of the last column, so that one index can serve both.
    down = wanted[-1][1] if wanted else False
    wanted += [(name, down) for name in key if name not in named]
    return Order(
        tuple(
            OrderColumn(name, descending, nullable[name], nulls_first=nulls_are_smallest != descending)
            for name, descending in wanted
        )
    )


def check_columns(names: Iterable[str], known: Iterable[str], *, what: str) -> None:
    """Refuse names that are no columns, and say which was meant.

    Raises:
        UsageError: as said.
    """
    known = list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        close = difflib.get_close_matches(str(unknown[0]), known, 1)
        shown = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")  # noqa: PLR2004 - enough to see
        raise errors.UsageError(
            f"{what}: there is no column {', '.join(map(repr, unknown))}.",
            hint=f"Did you mean {close[0]!r}?" if close else f"There are: {shown}.",
        )
