"""Add up a column of a million rows: all rows at once, and a thousand at a time.

Covers:     `fetchall`; `fetchmany` on one open cursor; batches after the last key seen; two of them after each other.
Not here:   the table (`tour.lab.inputs`), what was measured, and what it means (`tour.lab.tables`).
Holds:      `at_once` every row; the others one batch.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator, Iterator

Row = tuple[int, str, str, int]


def at_once(path: str) -> int:
    """Loads every row, then adds up."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        users = connection.execute("SELECT * FROM users").fetchall()
    return sum(user[-1] for user in users)


def by_cursor(path: str, batch_rows: int) -> int:
    """Adds up a batch and fetches the next, from a cursor that stays open all the time."""
    total = 0
    with contextlib.closing(sqlite3.connect(path)) as connection:
        cursor = connection.execute("SELECT * FROM users")
        while users := cursor.fetchmany(batch_rows):
            total += sum(user[-1] for user in users)
    return total


def by_key(path: str, batch_rows: int) -> int:
    """Adds up a batch and asks for the rows after its last key: no cursor stays open, no offset is counted."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return sum(user[-1] for users in batches(connection, batch_rows) for user in users)


def batches(connection: sqlite3.Connection, batch_rows: int) -> Iterator[list[Row]]:
    """The table, so many rows at a time, in the order of its key."""
    last = 0
    after = "SELECT * FROM users WHERE id > ? ORDER BY id LIMIT ?"
    while users := connection.execute(after, (last, batch_rows)).fetchall():
        last = users[-1][0]
        yield users


def at_once_then_by_key(path: str, batch_rows: int) -> Generator[str, None, int]:
    """Both in one process, the large one first."""
    total = at_once(path)
    yield "at once"
    total += by_key(path, batch_rows)
    yield "in batches"
    return total


def by_key_then_at_once(path: str, batch_rows: int) -> Generator[str, None, int]:
    """Both in one process, the small one first."""
    total = by_key(path, batch_rows)
    yield "in batches"
    total += at_once(path)
    yield "at once"
    return total
