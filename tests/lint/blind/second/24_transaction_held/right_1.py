import psycopg
import requests

BATCH = 50


def deliver_batch(conn: psycopg.Connection, http: requests.Session) -> int:
    with conn.transaction():
        hooks = conn.execute(
            "SELECT id, url, payload FROM outbox WHERE sent_at IS NULL ORDER BY id LIMIT %s",
            (BATCH,),
        ).fetchmany(BATCH)
    sent = []
    for hook_id, url, payload in hooks:
        if http.post(url, json=payload, timeout=10).ok:
            sent.append(hook_id)
    with conn.transaction():
        conn.execute("UPDATE outbox SET sent_at = now() WHERE id = ANY(%s)", (sent,))
    return len(sent)
