"""A program that dies of memory as its data grows: it reads a whole table to add up one column.

python docs/examples/hungry.py 400000        all rows at once, as `fetchall` gives them
python docs/examples/hungry.py 400000 flat   the same sum, a batch at a time
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Iterator

BATCH_ROWS = 1_000


def table_of(rows: int, path: str) -> sqlite3.Connection:
    """A table of `rows` orders in a file."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, note TEXT, cents INTEGER)")
    orders = ((i, f"customer {i % 977}", f"order number {i}, to be sent by ship", i % 10_000) for i in range(rows))
    connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", orders)
    connection.commit()
    return connection


def all_at_once(connection: sqlite3.Connection) -> int:
    """Holds every row: grows with the table."""
    connection.row_factory = sqlite3.Row
    orders = [dict(row) for row in connection.execute("SELECT * FROM orders").fetchall()]
    return sum(order["cents"] for order in orders)


def in_batches(connection: sqlite3.Connection) -> int:
    """Holds one batch: the same for any table."""
    return sum(order[3] for batch in batches(connection) for order in batch)


def batches(connection: sqlite3.Connection) -> Iterator[list[tuple[int, str, str, int]]]:
    """Rows after the last key seen, a batch at a time: no cursor stays open, no offset is counted."""
    last = -1
    while batch := connection.execute(
        "SELECT id, customer, note, cents FROM orders WHERE id > ? ORDER BY id LIMIT ?", (last, BATCH_ROWS)
    ).fetchall():
        last = batch[-1][0]
        yield batch


def main() -> None:
    """Make the table, and add it up in the way that was asked for."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 400_000
    add_up = in_batches if "flat" in sys.argv[2:] else all_at_once
    with tempfile.NamedTemporaryFile(suffix=".db") as file:
        print(f"{rows} orders, {add_up(table_of(rows, file.name)) / 100:,.2f} in all")


if __name__ == "__main__":
    main()
