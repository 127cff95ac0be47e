"""Read a table larger than memory: all rows at once, and row by row by its key; then a page, and a write back.

    python docs/examples/tables_orders.py [rows]

Leaves nothing behind.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass

import flatwater as fw

ROWS = 300_000


@dataclass(slots=True)
class Order:
    """One row."""

    id: int
    cents: int
    note: str | None = None


def make(path: str, rows: int) -> None:
    """A table of orders, about 200 B a row."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, cents INTEGER NOT NULL, note TEXT)")
        notes = ((number, number % 1000, f"order {number} " + "." * 180) for number in range(1, rows + 1))
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", notes)
        connection.commit()


def main(rows: int) -> None:
    """Measure both ways."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "shop.db")
        make(path, rows)
        table = fw.Table(path, "orders")

        with fw.measure("row by row") as flat:
            total = sum(order.cents for order in table.find_each(as_=Order))
        with fw.measure("all at once") as hungry, closing(sqlite3.connect(path)) as connection:
            assert total == sum(cents for _, cents, _ in connection.execute("SELECT * FROM orders").fetchall())
        print(f"row by row    {fw.units.format_bytes(flat.delta)} above the start")
        print(f"all at once   {fw.units.format_bytes(hungry.delta)}")

        page = table.page(limit=2, as_=tuple, columns=["id", "cents"])
        print(f"first page    {page.rows}, then {table.page(page.token, 2, as_=tuple, columns=['id', 'cents']).rows}")

        done = table.update_each(lambda order: {"note": None} if order["cents"] == 0 else None, columns=["cents"])
        print(f"written back  {done.changed} of {done.seen} rows")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
