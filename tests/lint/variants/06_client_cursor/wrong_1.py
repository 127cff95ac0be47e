import psycopg2


def export_events(dsn, out):
    conn = psycopg2.connect(dsn)
    cur = conn.cursor()
    cur.execute("SELECT id, payload FROM events")
    for event_id, payload in cur:
        out.write(f"{event_id}\t{payload}\n")
    cur.close()
    conn.close()
