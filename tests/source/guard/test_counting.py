"""Counting the rows of one query: exactly by number, by bytes as they are on the heap."""

from __future__ import annotations

import pytest

from flatwater import limits
from flatwater.source.guard import PageTooLarge
from flatwater.source.guard.counting import Count
from flatwater.source.guard.page import Limits, Page


def numbers(count):
    return iter([(number,) for number in range(count)])


@pytest.mark.parametrize("count", [0, 1, 2, 7, 99, 100])
def test_up_to_the_limit_all_rows_come(count):
    """Read in blocks, no row is lost or refused early."""
    assert Count(Limits(100, 1 << 20), "").read(numbers(count)) == list(numbers(count))


@pytest.mark.parametrize("most", [None, 1, 3, 64])
def test_the_first_row_too_many_is_refused(most):
    """It is the 101st, however the rows are asked for, and no further row is taken from the driver."""
    rows = numbers(1_000)
    count = Count(Limits(100, 1 << 20), "SELECT ?")
    read = []
    with pytest.raises(PageTooLarge) as caught:  # noqa: PT012 - until it is raised
        while True:
            read += count.read(rows, most)
    assert caught.value.rows == 101
    assert next(rows) == (101,)


def test_fetching_what_fits_is_never_refused():
    """Whoever asks for 100 rows in all of a larger result gets them: what is not asked for is not returned."""
    rows = numbers(1_000)
    count = Count(Limits(100, 1 << 20), "")
    assert len(count.read(rows, 60)) + len(count.read(rows, 40)) == 100


def test_bytes_are_met_within_a_block():
    """Rows of 100 kB are cut at a megabyte; after small rows, a sudden change passes the limit by one block at most."""
    steady = Count(Limits(10_000, 1_000_000), "")
    with pytest.raises(PageTooLarge) as caught:
        steady.read(("x" * 99_900 + str(number),) for number in range(1_000))
    assert caught.value.what == "max_bytes"
    assert caught.value.rows == 10
    sudden = Count(Limits(10_000, 1_000_000), "")
    with pytest.raises(PageTooLarge) as caught:
        sudden.read(("x" * (1_000_000 if number >= 50 else 1) + str(number),) for number in range(1_000))
    assert caught.value.rows <= 50 + limits.GUARD_BLOCK_ROWS


def test_one_huge_value_is_refused():
    """A single row larger than the limit is too large a page."""
    count = Count(Limits(100, 1 << 20), "")
    with pytest.raises(PageTooLarge) as caught:
        count.one((b"x" * (2 << 20),))
    assert caught.value.rows == 1


def test_rows_of_any_kind_are_weighed():
    """Dicts, nested values and long numbers count with all that they hold."""
    for row in ({"a": "x" * 100_000}, ([{"b": "y" * 100_000}],), (10**200_000,)):
        count = Count(Limits(100, 1 << 30), "")
        count.one(row)
        assert count.bytes > 80_000


def test_a_total_counts_all_queries():
    """Three queries of 40 rows are one too many for 100 in all."""
    page = Page(1_000, 1 << 20, 100, None)
    for _ in range(2):
        Count(page.limits, "").read(numbers(40))
    with pytest.raises(PageTooLarge) as caught:
        Count(page.limits, "").read(numbers(40))
    assert caught.value.what == "total_rows"
    assert page.queries == 3
