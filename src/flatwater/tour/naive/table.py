"""The naive twin of `table`: all rows at once, then a loop.

Covers:     fetchall, and adding up a column.
Not here:   the same a batch at a time (`tour.steps.find_each`).
Holds:      all rows.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flatwater.tour.twin import Task


def run(task: Task) -> int:
    """Add up the cents of all rows; how many there are."""
    with closing(sqlite3.connect(os.path.join(task.made, "table.db"))) as connection:
        connection.row_factory = sqlite3.Row
        # flatwater: allow FW101 — the naive way, on purpose
        rows = connection.execute("SELECT * FROM users WHERE id <= ?", (task.items,)).fetchall()
    total = 0
    for row in rows:
        total += row["cents"]
    assert total > 0
    return len(rows)
