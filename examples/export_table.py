"""Export a table to Parquet, every night, whatever its size.

    python examples/export_table.py [rows]

Budget: 96 MiB
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import flatwater as fw

BUDGET = "96 MiB"


def make(path: Path, rows: int) -> None:
    """Orders to try it on, about 120 B a row."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER, cents INTEGER, note TEXT)")
        rows_of = (
            (number, number % 977, number * 7 % 10_000, f"order {number} " + "." * 80) for number in range(1, rows + 1)
        )
        database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows_of)
        database.commit()


def export(database: Path, target: Path) -> int:
    """All rows, in the order of their keys; nobody sees the file before it is whole."""
    with fw.Budget(BUDGET):
        report = fw.Flow(fw.Table(str(database), "orders")).to(str(target)).run()
    return report.items


def main(rows: int) -> None:
    """Make, export, tell."""
    with tempfile.TemporaryDirectory() as folder:
        database, target = Path(folder, "shop.db"), Path(folder, "orders.parquet")
        make(database, rows)
        exported = export(database, target)
        print(f"{exported:,} rows, {fw.units.format_bytes(target.stat().st_size)} of Parquet")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000)
