import sqlite3


def walk_entries(conn: sqlite3.Connection):
    last = 0
    while True:
        rows = conn.execute(
            "SELECT id, body FROM entries WHERE id > ? ORDER BY id LIMIT 1000", (last,)
        ).fetchall()
        if not rows:
            return
        yield from rows
        last = rows[-1][0]
