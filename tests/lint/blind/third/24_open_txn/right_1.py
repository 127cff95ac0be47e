import psycopg2
import requests


def next_batch(conn, after: int):
    with conn, conn.cursor() as cur:
        cur.execute(
            "SELECT id, phone FROM reminders WHERE id > %s ORDER BY id LIMIT 100", (after,)
        )
        return cur.fetchall()


def send_reminders(dsn: str) -> None:
    conn = psycopg2.connect(dsn)
    last = 0
    while batch := next_batch(conn, last):
        for reminder_id, phone in batch:
            requests.post("https://sms.example/send", json={"to": phone}, timeout=30)
            last = reminder_id
    conn.close()
