import psycopg2


def email_domains(dsn: str) -> set[str]:
    with psycopg2.connect(dsn) as conn, conn.cursor("subscribers") as cur:
        cur.execute("SELECT email, opened FROM subscribers")
        pages = [page for page in iter(lambda: cur.fetchmany(5000), [])]
    domains = set()
    for page in pages:
        for email, _ in page:
            domains.add(email.rpartition("@")[2])
    return domains
