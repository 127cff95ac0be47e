"""Add up a column of a million rows: all rows at once, and a thousand at a time.

Covers:     `fetchall`; `fetchmany` on one open cursor; `Table.find_each`; two of them after each other.
Not here:   the table (`tour.lab.inputs`), what was measured, and what it means (`tour.lab.tables`).
Holds:      `at_once` every row; the others one batch.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Generator

from flatwater.source.tables.table import Table

_ADAPTERS = "flatwater.source.tables.adapters"
IMPORTS = (f"{_ADAPTERS}.sqlite_connection", f"{_ADAPTERS}.sqlite_path", "apsw.ext")


def at_once(path: str) -> int:
    """Loads every row, then adds up."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        # flatwater: allow FW101 — what the lab measures
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


def find_each(path: str, batch_rows: int) -> int:
    """Adds up row by row, while the table is read a batch after the other: no cursor stays open, no offset is counted."""
    return _total(Table(path, "users"), batch_rows)


def over_connection(path: str, batch_rows: int) -> int:
    """The same over a connection of sqlite3, so that both of a pair use the same library."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return _total(Table(connection, "users"), batch_rows)


def _total(table: Table, batch_rows: int) -> int:
    return sum(user[-1] for user in table.find_each(as_=tuple, batch_rows=batch_rows))


def at_once_then_find_each(path: str, batch_rows: int) -> Generator[str, None, int]:
    """Both in one process, the large one first."""
    total = at_once(path)
    yield "at once"
    total += over_connection(path, batch_rows)
    yield "in batches"
    return total


def find_each_then_at_once(path: str, batch_rows: int) -> Generator[str, None, int]:
    """Both in one process, the small one first."""
    total = over_connection(path, batch_rows)
    yield "in batches"
    total += at_once(path)
    yield "at once"
    return total
