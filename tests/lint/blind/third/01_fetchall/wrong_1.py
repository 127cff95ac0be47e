import csv
import sqlite3
from pathlib import Path

EXPORT_COLUMNS = ("order_no", "customer_email", "total_cents", "placed_at")


def export_orders(db_path: Path, target: Path) -> int:
    conn = sqlite3.connect(db_path)
    written = 0
    try:
        cur = conn.cursor()
        cur.execute("SELECT order_no, customer_email, total_cents, placed_at FROM orders")
        with target.open("w", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(EXPORT_COLUMNS)
            for row in cur.fetchall():
                writer.writerow(row)
                written += 1
    finally:
        conn.close()
    return written
