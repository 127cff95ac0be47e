import sqlite3


def copy_events(src: sqlite3.Connection, dst: sqlite3.Connection) -> None:
    pending = []
    cur = src.execute("SELECT ts, kind, payload FROM events")
    for row in cur:
        pending.append(row)
        if len(pending) >= 500:
            dst.executemany("INSERT INTO events VALUES (?, ?, ?)", pending)
            pending.clear()
    if pending:
        dst.executemany("INSERT INTO events VALUES (?, ?, ?)", pending)
    dst.commit()
