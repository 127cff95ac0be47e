"""The naive twin of `store`: all entries in a list, one transaction, and all changes collected before any is written.

Covers:     LMDB as its examples use it: a transaction around all of it.
Not here:   the same in short transactions (`tour.steps.keep_rows`).
Holds:      all entries, all pages that a transaction has changed, all changes.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import lmdb

if TYPE_CHECKING:
    from flatwater.tour.twin import Task

CHANGED_EACH, GONE_EACH, CHANGE = 3, 10, 1_000_000


def run(task: Task) -> int:
    """Write as many rows as the step did, change and delete as many; how many there were."""
    with closing(sqlite3.connect(os.path.join(task.made, "table.db"))) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute("SELECT * FROM users WHERE id <= ?", (task.items,))
        entries = [(b"%010d" % row["id"], json.dumps(dict(row)).encode()) for row in found]
    with lmdb.open(os.path.join(task.folder, "store"), map_size=1 << 31, sync=False) as store:
        with store.begin(write=True) as transaction:
            for key, value in entries:
                transaction.put(key, value)
        with store.begin(write=True) as transaction:
            changes: dict[bytes, dict[str, int] | None] = {}
            for key, value in transaction.cursor():
                row = json.loads(value)
                if row["id"] % GONE_EACH == 0:
                    changes[key] = None
                elif row["id"] % CHANGED_EACH == 0:
                    changes[key] = {**row, "cents": row["cents"] + CHANGE}
            for key, row in changes.items():
                if row is None:
                    transaction.delete(key)
                else:
                    transaction.put(key, json.dumps(row).encode())
    return len(entries)
