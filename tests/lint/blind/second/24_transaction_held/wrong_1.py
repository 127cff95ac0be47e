import psycopg
import requests

session = requests.Session()


def deliver_webhooks(dsn: str) -> int:
    delivered = 0
    with psycopg.connect(dsn) as conn:
        with conn.transaction():
            cur = conn.cursor(name="outbox")
            cur.execute("SELECT id, url, payload FROM outbox WHERE sent_at IS NULL FOR UPDATE")
            for hook_id, url, payload in cur:
                session.post(url, json=payload, timeout=30)
                conn.execute("UPDATE outbox SET sent_at = now() WHERE id = %s", (hook_id,))
                delivered += 1
    return delivered
