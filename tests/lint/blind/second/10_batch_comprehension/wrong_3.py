import sqlite3
from functools import partial


def all_events(db_path, kind):
    conn = sqlite3.connect(db_path)
    cur = conn.execute("SELECT ts, payload FROM events WHERE kind = ?", (kind,))
    events = [
        (ts, payload.strip())
        for batch in iter(partial(cur.fetchmany, 1000), [])
        for ts, payload in batch
    ]
    conn.close()
    return events


def forward(db_path, kind, queue):
    for ts, payload in all_events(db_path, kind):
        queue.publish(ts, payload)
