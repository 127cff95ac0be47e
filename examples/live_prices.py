"""Prices change in a table, and two readers follow the queries that they asked.

    python examples/live_prices.py [changes]

Budget: 160 MiB
"""

from __future__ import annotations

import sys
import tempfile

import flatwater as fw

BUDGET = "160 MiB"
NAMES = ("ALPHA", "BETA", "GAMMA", "DELTA")


def main(changes: int) -> None:
    """Make the table, follow it, change it."""
    with tempfile.TemporaryDirectory() as folder, fw.Budget(BUDGET):
        db = fw.Database(f"{folder}/prices")
        db.sql("CREATE NAMESPACE market")
        db.sql("CREATE TABLE market.prices (name TEXT PRIMARY KEY, cents BIGINT NOT NULL)")
        for name in NAMES:
            db.sql("INSERT INTO market.prices VALUES (?, ?)", [name, 10_000])
        everything = db.subscribe("SELECT name, cents FROM market.prices")
        cheap = db.subscribe("SELECT name, cents FROM market.prices WHERE cents < ?", [9_000])
        start = [everything.poll(5).row for _ in NAMES]
        for number in range(changes):
            cents = 8_000 + number * 37 % 4_000
            db.sql("UPDATE market.prices SET cents = ? WHERE name = ?", [cents, NAMES[number % len(NAMES)]])
        last = {row["name"]: row["cents"] for row in start}
        seen = entered = 0
        while (event := everything.poll(0.2)) is not None:
            last[event.row["name"]] = event.row["cents"]
            seen += 1
        while (event := cheap.poll(0.2)) is not None:
            entered += event.op == "insert"
        assert last == {row["name"]: row["cents"] for row in db.sql("SELECT name, cents FROM market.prices")}
        everything.close()
        cheap.close()
        db.close()
        print(f"{seen:,} changes followed, {entered} of them into the cheap ones; the last prices agree")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
