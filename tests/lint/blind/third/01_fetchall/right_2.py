import sqlite3
from typing import Callable


def replay_events(db_file: str, handle: Callable[[int, bytes], None]) -> int:
    conn = sqlite3.connect(db_file)
    replayed = 0
    try:
        cur = conn.execute("SELECT id, payload FROM events ORDER BY id")
        while True:
            batch = cur.fetchmany(500)
            if not batch:
                break
            for event_id, payload in batch:
                handle(event_id, payload)
            replayed += len(batch)
    finally:
        conn.close()
    return replayed
