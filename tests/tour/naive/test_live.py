"""tour.naive.live: a copy of each change for each subscriber."""

from __future__ import annotations

import sqlite3

from flatwater.tour.naive import live


def test_everybody_sees_his_own_changes(task_of):
    """A writer's subscription gets an event for each row written, changed and deleted; others get nothing."""
    assert live.run(task_of(rows=1_500, late_readers=2, waiting=3)) == 1_500 + 6 * 83 + 6 * 25


def test_who_does_not_read_has_all_of_them(task_of):
    """That is what grows."""
    table = live.Table()
    late, other = table.subscribe("ada"), table.subscribe("bob")
    with sqlite3.connect(f"{task_of().made}/table.db") as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM users LIMIT 30")]
    live.write(table, "ada", rows)
    assert (len(late.waiting), len(other.waiting)) == (30 + 10 + 3, 0)
    assert len(table.rows["ada"]) == 27
    assert table.subscribe("ada").read() == 27
