"""AND, OR and comparisons with NULL."""

import itertools
import operator
from datetime import UTC, date, datetime

import pytest

from flatwater.live.logic import all_of, any_of, compared, is_alike, of_column, safe

VALUES = (True, False, None)


def given(value):
    return lambda _row, _values: value


@pytest.mark.parametrize(("one", "other"), [*itertools.product(VALUES, VALUES)])
def test_three_values(one, other):
    """One FALSE decides AND, one TRUE decides OR, and else NULL stays."""
    both = {one, other}
    expected_and = False if False in both else None if None in both else True
    expected_or = True if True in both else None if None in both else False
    assert all_of([given(one), given(other)])({}, ()) is expected_and
    assert any_of([given(one), given(other)])({}, ()) is expected_or


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [(1, 2, True), (2, 1.5, False), (None, 1, None), ("a", "b", True), ("a", 1, None), (True, 1, None), (date(2026, 1, 1), datetime(2026, 1, 1, 1, tzinfo=UTC), True), (date(2026, 1, 1), "x", None)],
)  # fmt: skip
def test_comparisons(one, other, expected):
    """Values of a kind are compared, a date as its midnight; else it is NULL."""
    assert compared(given(one), given(other), operator.lt)({}, ()) is expected
    assert is_alike("DATE", "TIMESTAMP")
    assert not is_alike("DATE", "TEXT")


def test_a_column_with_a_value():
    """NULL on a side, or what cannot be compared, is NULL."""
    asked = of_column("a", 0, operator.lt)
    assert [asked({"a": value}, [5]) for value in (1, 9, None, "x")] == [True, False, None, None]
    assert asked({"a": 1}, [None]) is None
    assert safe(lambda _row, _values: 1 // 0)({}, ()) is None
