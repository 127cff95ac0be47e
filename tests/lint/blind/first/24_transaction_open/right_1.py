import psycopg
import requests


def sync_batch(dsn: str, crm: str) -> None:
    with psycopg.connect(dsn) as conn:
        found = conn.execute(
            "SELECT id, email FROM customers WHERE synced_at IS NULL ORDER BY id LIMIT 50"
        ).fetchall()
    sent = []
    with requests.Session() as session:
        for ident, email in found:
            session.post(f"{crm}/contacts", json={"email": email}, timeout=30)
            sent.append((ident,))
    with psycopg.connect(dsn) as conn, conn.cursor() as cur:
        cur.executemany("UPDATE customers SET synced_at = now() WHERE id = %s", sent)
