"""Items that are put together: lists of so many bytes or rows, windows of neighbours."""

from __future__ import annotations

from itertools import islice
from sys import getsizeof

import pytest

from flatwater.pipeline.flow import Flow
from flatwater.pipeline.grouping import Group, Window


@pytest.mark.parametrize("rows", [1, 7, 100, 1000, 1001])
def test_a_list_has_as_many_rows_as_asked(rows):
    """But the last one; all items come, in their order."""
    groups = list(Flow(range(1000), batch_rows=13).batch(rows=rows))
    assert [each for group in groups for each in group] == list(range(1000))
    assert {len(group) for group in groups[:-1]} <= {rows}
    assert 0 < len(groups[-1]) <= rows


def test_a_list_ends_where_its_bytes_are_full():
    """A heavy item comes alone."""
    sizes = [len(group) for group in Flow([b"x" * 50_000] * 200).batch(bytes="200 KiB", rows=1000)]
    assert sum(sizes) == 200
    assert max(sizes) <= 5
    assert [len(group) for group in Flow([b"x" * 500_000] * 3).batch(bytes="1 KiB")] == [1, 1, 1]


@pytest.mark.parametrize("kind", [str, bytes])
def test_a_list_of_very_different_texts_stays_within_its_bytes(kind):
    """Each is weighed: a heavy one among many light ones does not come with them if it does not fit."""
    sizes = [20_000 if at % 100 == 0 else at * 7919 % 3_000 for at in range(5_000)]
    texts = ["x" * size if kind is str else b"x" * size for size in sizes]
    groups = list(Flow(texts).batch(bytes="64 KiB", rows=10_000))
    assert [text for group in groups for text in group] == texts
    assert max(sum(map(getsizeof, group)) for group in groups) <= 64 * 1024
    assert len(groups) <= 1.2 * sum(map(getsizeof, texts)) / (64 * 1024)


@pytest.mark.parametrize("count", [1, 2, 5, 20, 21])
def test_windows_are_neighbours(count):
    """As slices of a list are; none where there are too few items."""
    items = list(range(20))
    expected = [tuple(items[at : at + count]) for at in range(20 - count + 1)]
    assert list(Flow(items, batch_rows=3).window(count)) == expected


def test_a_source_without_an_end():
    """Lists and windows come as soon as they are full."""

    def forever():
        number = 0
        while True:
            yield number
            number += 1

    assert list(islice(Flow(forever).batch(rows=3), 2)) == [[0, 1, 2], [3, 4, 5]]
    assert list(islice(Flow(forever).window(2), 2)) == [(0, 1), (1, 2)]


def test_what_they_hold_is_in_the_sum():
    """A group its own bytes, a window two batches."""
    assert (Group(1 << 20, 10).bytes_max(100), Window(3).bytes_max(100)) == (1 << 20, 200)
    assert (Group(1, 1500).name, Window(3).name) == ("batch(1,500 rows)", "window(3)")
