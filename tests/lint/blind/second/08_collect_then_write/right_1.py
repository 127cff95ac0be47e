import csv
import sqlite3

BATCH = 1000


def load_postcodes(path: str, db_path: str) -> None:
    conn = sqlite3.connect(db_path)
    batch = []
    with open(path, newline="") as fh, conn:
        for line in csv.reader(fh):
            batch.append((line[0], float(line[1]), float(line[2])))
            if len(batch) >= BATCH:
                conn.executemany("INSERT INTO postcodes VALUES (?, ?, ?)", batch)
                batch.clear()
        if batch:
            conn.executemany("INSERT INTO postcodes VALUES (?, ?, ?)", batch)
    conn.close()
