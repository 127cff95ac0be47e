import csv
import sqlite3


def export_loans(db_path: str, out_path: str) -> int:
    conn = sqlite3.connect(db_path)
    written = 0
    try:
        cur = conn.execute("SELECT member_id, isbn, due_on FROM loans ORDER BY due_on")
        with open(out_path, "w", newline="") as fh:
            writer = csv.writer(fh)
            for member_id, isbn, due_on in cur:
                writer.writerow([member_id, isbn, due_on])
                written += 1
    finally:
        conn.close()
    return written
