import sqlite3


def pending_jobs(conn: sqlite3.Connection) -> int:
    cur = conn.cursor()
    cur.execute("SELECT * FROM jobs WHERE state = 'pending'")
    return len(cur.fetchall())
