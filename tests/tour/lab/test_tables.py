"""tour.lab.tables and its programs: all variants do the same work."""

from __future__ import annotations

import pytest

from flatwater.tour.lab import registry
from flatwater.tour.lab.inputs import Inputs
from flatwater.tour.lab.programs import tables


@pytest.mark.parametrize("rows", [0, 1, 1000, 2500])
def test_all_ways_add_up_the_same(rows):
    """At once, by cursor, with find_each by path and over a connection, alone and after each other: the column's sum, for tables of any size."""
    expected = sum(index % 10_000 for index in range(1, rows + 1))
    with Inputs() as inputs:
        path = inputs.table(rows)
        ways = [tables.by_cursor, tables.find_each, tables.over_connection]
        assert [tables.at_once(path), *(way(path, 1000) for way in ways)] == [expected] * 4
        for program, names in (
            (tables.at_once_then_find_each, ["at once", "in batches"]),
            (tables.find_each_then_at_once, ["in batches", "at once"]),
        ):
            steps = program(path, 1000)
            assert [next(steps), next(steps)] == names
            with pytest.raises(StopIteration) as end:
                next(steps)
            assert end.value.value == 2 * expected


def test_each_seed_has_its_figure():
    """What the write-up says of a moment is quoted with its number, also where that is of the whole process."""
    (order,) = registry.find(["order"])
    words = [figure.words for variant in order.variants for figure in variant.seed_figures]
    assert words == ["~1.6 GB, and stays (Rails)", "flat at ~80MB (Rails)", "~1.6 GB (Rails)"]
