"""Seeking: the steps after any position, one after the other, are exactly the rows behind it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flatwater.source.tables.conditions import AllOf, Compare, Null, RowCompare
from flatwater.source.tables.order import Order, OrderColumn
from flatwater.source.tables.seek import steps_after, steps_all, until


def holds(condition, row):
    """A condition on a row as SQL has it: a comparison with NULL is not true."""
    if isinstance(condition, Compare):
        value = row[condition.column]
        if value is None or condition.value is None:
            return False
        return {
            "=": value == condition.value, ">": value > condition.value, "<": value < condition.value,
            ">=": value >= condition.value, "<=": value <= condition.value,
        }[condition.op]  # fmt: skip
    if isinstance(condition, Null):
        return (row[condition.column] is None) == condition.is_null
    if isinstance(condition, RowCompare):
        have = tuple(row[name] for name in condition.columns)
        assert None not in have + condition.values
        if condition.op.endswith("=") and have == condition.values:
            return True
        return have > condition.values if ">" in condition.op else have < condition.values
    parts = [holds(part, row) for part in condition.parts]
    return all(parts) if isinstance(condition, AllOf) else any(parts)


def ranked(order, row):
    """What a database sorts by."""
    ranks = []
    for column in order.columns:
        value = row[column.name]
        missing = (0 if column.nulls_first else 2, 0)
        ranks.append(missing if value is None else (1, -value if column.descending else value))
    return ranks


@st.composite
def orders(draw):
    """An order of one to three columns of any kind."""
    smallest = draw(st.booleans())
    columns = []
    for name in "abc"[: draw(st.integers(1, 3))]:
        down, nullable = draw(st.booleans()), draw(st.booleans())
        columns.append(OrderColumn(name, down, nullable, smallest != down))
    return Order(tuple(columns))


def rows_of(order):
    """All rows there can be, in order."""
    kinds = [(0, 1, 2, None) if column.nullable else (0, 1, 2) for column in order.columns]
    rows = [dict(zip(order.names, values, strict=True)) for values in itertools.product(*kinds)]
    return sorted(rows, key=lambda row: ranked(order, row))


@given(order=orders(), data=st.data())
@settings(max_examples=120)
def test_steps_are_the_rows_behind_in_order(order, data):
    """Each row behind a position is in exactly one step, and the steps follow one another."""
    rows = rows_of(order)
    width = data.draw(st.integers(1, len(order.columns)))
    inclusive, row_values = data.draw(st.booleans()), data.draw(st.booleans())
    at = data.draw(st.sampled_from(rows))
    position = tuple(at.values())[:width]
    short = Order(order.columns[:width])
    here = ranked(short, at)
    wanted = [row for row in rows if ranked(short, row) > here or (inclusive and ranked(short, row) == here)]
    steps = steps_after(order, position, inclusive=inclusive, row_values=row_values)
    got = [row for step in steps for row in rows if all(holds(condition, row) for condition in step)]
    assert got == wanted


@given(order=orders(), data=st.data())
@settings(max_examples=120)
def test_until_are_the_rows_up_to_a_position(order, data):
    """What holds up to a position holds for those rows and for no other."""
    rows = rows_of(order)
    width = data.draw(st.integers(1, len(order.columns)))
    at = data.draw(st.sampled_from(rows))
    short = Order(order.columns[:width])
    here = ranked(short, at)
    wanted = [row for row in rows if ranked(short, row) <= here]
    condition = until(order, tuple(at.values())[:width])
    assert [row for row in rows if holds(condition, row)] == wanted


@pytest.mark.parametrize("down", [True, False])
def test_a_null_in_a_uniform_order_is_no_comparison_of_rows(down):
    """A NULL where none was promised is sought by steps: a comparison of rows with it would find nothing."""
    order = Order((OrderColumn("a", down, False, not down), OrderColumn("b", down, False, not down)))
    for step in steps_after(order, (None, 5), row_values=True):
        assert not any(isinstance(condition, RowCompare) for condition in step)


def test_the_whole_order_is_one_step_without_condition():
    """From the beginning there is nothing to seek."""
    assert steps_all() == [()]
    order = Order((OrderColumn("a", True, True, False),))
    assert steps_after(order, (None,), row_values=True) == []  # nothing comes behind the last NULL
