import sqlite3


def walk_entries(conn: sqlite3.Connection):
    offset = 0
    while True:
        rows = conn.execute(
            "SELECT id, body FROM entries ORDER BY id LIMIT 1000 OFFSET ?", (offset,)
        ).fetchall()
        if not rows:
            return
        yield from rows
        offset += 1000
