import psycopg2
import requests


def sync_contacts(dsn: str, crm_url: str) -> None:
    conn = psycopg2.connect(dsn)
    http = requests.Session()
    with conn.cursor() as cur:
        cur.execute("SELECT id, email, full_name FROM contacts")
        for contact_id, email, full_name in cur:
            http.put(
                f"{crm_url}/contacts/{contact_id}",
                json={"email": email, "name": full_name},
                timeout=30,
            )
    conn.close()
