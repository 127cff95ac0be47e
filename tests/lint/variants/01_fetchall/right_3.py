import sqlite3


def table_columns(conn: sqlite3.Connection, table: str):
    cur = conn.execute(f"PRAGMA table_info({table})")
    return [row[1] for row in cur.fetchall()]


def status_counts(conn: sqlite3.Connection):
    cur = conn.execute("SELECT status, COUNT(*) FROM jobs GROUP BY status")
    return dict(cur.fetchall())
