import psycopg


def dump_events(dsn: str, out) -> None:
    with psycopg.connect(dsn) as conn:
        with conn.cursor(name="dump_events") as cur:
            cur.itersize = 5000
            cur.execute("SELECT id, kind FROM events ORDER BY id")
            for ident, kind in cur:
                out.write(f"{ident}\t{kind}\n")
