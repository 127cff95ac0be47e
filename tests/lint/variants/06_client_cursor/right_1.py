import psycopg2


def export_events(dsn, out):
    conn = psycopg2.connect(dsn)
    with conn.cursor(name="events_export") as cur:
        cur.itersize = 2000
        cur.execute("SELECT id, payload FROM events")
        for event_id, payload in cur:
            out.write(f"{event_id}\t{payload}\n")
