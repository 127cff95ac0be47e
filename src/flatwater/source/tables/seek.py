"""Where a pass goes on: conditions that an index seeks by, after a row that need not exist any more.

Covers:     composite orders, mixed directions, NULLs, prefixes, inclusive and exclusive starts.
Not here:   the words of a database (`tables.statements`), running the steps (`tables.reading`).
Holds:      conditions.

Where all columns go one way and none can be NULL, and the database seeks by it, one comparison of rows does:
`(a, b) > (?, ?)`. Anything else is taken in steps, each one range of an index: first `a = ? AND b > ?`, and when that has
no more rows, `a > ?`. A step is exact, so rows with the same `a` are not read again and again, as `a >= ? AND (a > ? OR
b > ?)` would; NULLs are steps of their own (`a IS NULL AND b > ?`), so no row is lost to a comparison with NULL.
"""

from __future__ import annotations

from collections.abc import Sequence

from flatwater.source.tables.conditions import AllOf, AnyOf, Compare, Condition, Null, RowCompare
from flatwater.source.tables.order import Order, OrderColumn

Step = tuple[Condition, ...]  # all of them hold; () is the whole order


def steps_after(order: Order, values: Sequence[object], *, inclusive: bool = False, row_values: bool) -> list[Step]:
    """What is read one after the other to get all rows after a position, in order.

    Args:
        order: of the pass.
        values: the position: of the order's first columns, as many as are given.
        inclusive: whether rows at the position are read too.
        row_values: whether the database seeks by a comparison of rows.

    >>> from flatwater.source.tables.order import Order, OrderColumn
    >>> order = Order((OrderColumn("a", True, False, True), OrderColumn("b", False, False, False)))
    >>> for step in steps_after(order, (5, 7), row_values=True): print(step)
    (Compare(column='a', op='=', value=5), Compare(column='b', op='>', value=7))
    (Compare(column='a', op='<', value=5),)
    """
    columns = order.columns[: len(values)]
    if row_values and len(columns) > 1 and Order(columns).is_uniform and None not in values:
        op = _op(columns[0], inclusive=inclusive)
        return [(RowCompare(tuple(column.name for column in columns), op, tuple(values)),)]
    steps: list[Step] = []
    for last in reversed(range(len(columns))):
        fixed = tuple(_equal(column, value) for column, value in zip(columns[:last], values, strict=False))
        at_end = last == len(columns) - 1
        steps += [(*fixed, each) for each in _after(columns[last], values[last], inclusive=inclusive and at_end)]
    return steps


def steps_all() -> list[Step]:
    """The whole order, from its first row."""
    return [()]


def equal(order: Order, values: Sequence[object]) -> Step:
    """The rows at a position."""
    return tuple(_equal(column, value) for column, value in zip(order.columns, values, strict=True))


def until(order: Order, values: Sequence[object]) -> Condition:
    """What holds for all rows up to a position, and at it; an index ends its range by the first part.

    Args:
        order: of the pass.
        values: the position: of the order's first columns, as many as are given.
    """
    columns = order.columns[: len(values)]
    back = Order(columns).reversed().columns
    exact: Condition | None = None
    for last in reversed(range(len(columns))):
        at_end = last == len(columns) - 1
        before: list[Condition] = list(_after(back[last], values[last], inclusive=at_end))
        if exact is not None:
            before.append(AllOf((_equal(columns[last], values[last]), exact)))
        exact = before[0] if len(before) == 1 else AnyOf(tuple(before))
    assert exact is not None
    if len(columns) == 1:
        return exact
    ends = _after(back[0], values[0], inclusive=True)
    leading = ends[0] if len(ends) == 1 else AnyOf(tuple(ends))
    return AllOf((leading, exact))


def _op(column: OrderColumn, *, inclusive: bool) -> str:
    return ("<" if column.descending else ">") + ("=" if inclusive else "")


def _equal(column: OrderColumn, value: object) -> Condition:
    return Null(column.name, is_null=True) if value is None else Compare(column.name, "=", value)


def _after(column: OrderColumn, value: object, *, inclusive: bool) -> list[Condition]:
    """The ranges of one column that come after a value in its direction, in order."""
    name = column.name
    if value is None:
        here: list[Condition] = [Null(name, is_null=True)] if inclusive else []
        return [*here, Null(name, is_null=False)] if column.nulls_first else here
    found: list[Condition] = [Compare(name, _op(column, inclusive=inclusive), value)]
    if column.nullable and not column.nulls_first:
        found.append(Null(name, is_null=True))
    return found
