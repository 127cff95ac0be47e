"""tour.naive.table: all rows at once."""

from __future__ import annotations

from flatwater.tour.naive import table


def test_it_reads_what_the_step_read(task_of):
    """As many rows."""
    assert table.run(task_of(items=2_500)) == 2_500
