import psycopg2
import requests


def notify_due_loans(dsn: str) -> None:
    conn = psycopg2.connect(dsn)
    with conn:
        with conn.cursor(name="due_loans") as cur:
            cur.execute("SELECT id, phone, title FROM loans WHERE due_on < now()")
            for loan_id, phone, title in cur:
                requests.post(
                    "https://sms.example/send",
                    json={"to": phone, "text": f"{title} is overdue", "ref": loan_id},
                    timeout=30,
                )
    conn.close()
