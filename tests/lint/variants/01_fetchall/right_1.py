import sqlite3


def latest_measurements(db_path):
    conn = sqlite3.connect(db_path)
    cur = conn.execute("SELECT sensor_id, value FROM measurements ORDER BY taken_at DESC LIMIT 50")
    rows = cur.fetchall()
    conn.close()
    return [{"sensor": s, "value": v} for s, v in rows]
