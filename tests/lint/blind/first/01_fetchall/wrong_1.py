"""Nightly export of shop orders to the accounting partner."""
import csv
import sqlite3
from contextlib import closing
from pathlib import Path

SHOP_DB = Path("/var/lib/shop/shop.sqlite3")


def export_orders(target: Path, since: str) -> int:
    written = 0
    with closing(sqlite3.connect(SHOP_DB)) as conn, target.open("w", newline="") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow(["order", "customer", "total"])
        cur = conn.cursor()
        cur.execute(
            "SELECT id, customer_id, total_cents FROM orders WHERE placed_at >= ?",
            (since,),
        )
        for order_id, customer_id, cents in cur.fetchall():
            writer.writerow([order_id, customer_id, f"{cents / 100:.2f}"])
            written += 1
    return written
