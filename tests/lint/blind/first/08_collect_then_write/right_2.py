import sqlite3
from collections.abc import Iterable


def store(conn: sqlite3.Connection, measurements: Iterable[tuple[str, float]]) -> None:
    pending = []
    for measurement in measurements:
        pending.append(measurement)
        if len(pending) >= 1000:
            conn.executemany("INSERT INTO measurements VALUES (?, ?)", pending)
            conn.commit()
            pending.clear()
    if pending:
        conn.executemany("INSERT INTO measurements VALUES (?, ?)", pending)
        conn.commit()
