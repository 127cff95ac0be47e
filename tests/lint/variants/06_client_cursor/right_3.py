import sqlite3


def iterate(db_path, handler):
    conn = sqlite3.connect(db_path)
    cur = conn.cursor()
    cur.execute("SELECT id, payload FROM events")
    for row in cur:
        handler(row)
    cur.execute("SELECT id FROM events WHERE id = ?", (1,))
    for row in cur:
        print(row)
