import sqlite3


def migrate_notes(conn: sqlite3.Connection, encrypt) -> None:
    reader = conn.cursor()
    reader.execute("SELECT id, body FROM notes ORDER BY id")
    while rows := reader.fetchmany(200):
        updates = [(encrypt(body), note_id) for note_id, body in rows]
        conn.executemany("UPDATE notes SET body = ? WHERE id = ?", updates)
        conn.commit()


def first_ids(conn: sqlite3.Connection) -> list[int]:
    cur = conn.execute("SELECT id FROM notes ORDER BY id")
    return [r[0] for r in cur.fetchmany(10)]
