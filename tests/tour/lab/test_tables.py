"""tour.lab.tables and its programs: all variants do the same work."""

from __future__ import annotations

import pytest

from flatwater.tour.lab.inputs import Inputs
from flatwater.tour.lab.programs import tables


@pytest.mark.parametrize("rows", [0, 1, 1000, 2500])
def test_all_ways_add_up_the_same(rows):
    """At once, by cursor and by key, alone and after each other: the column's sum, for tables of any size."""
    expected = sum(index % 10_000 for index in range(1, rows + 1))
    with Inputs() as inputs:
        path = inputs.table(rows)
        assert [tables.at_once(path), tables.by_cursor(path, 1000), tables.by_key(path, 1000)] == [expected] * 3
        for program, names in (
            (tables.at_once_then_by_key, ["at once", "in batches"]),
            (tables.by_key_then_at_once, ["in batches", "at once"]),
        ):
            steps = program(path, 1000)
            assert [next(steps), next(steps)] == names
            with pytest.raises(StopIteration) as end:
                next(steps)
            assert end.value.value == 2 * expected
