import sqlite3
import csv


def export_measurements(db_path, out_path):
    conn = sqlite3.connect(db_path)
    cur = conn.cursor()
    cur.execute("SELECT sensor_id, taken_at, value FROM measurements")
    rows = cur.fetchall()
    with open(out_path, "w", newline="") as fh:
        writer = csv.writer(fh)
        for row in rows:
            writer.writerow(row)
    conn.close()
