import psycopg


def export_ledger(dsn, sink):
    with psycopg.connect(dsn) as conn:
        with conn.cursor(name="ledger_export") as cur:
            cur.execute("SELECT account_id, amount FROM ledger_entries")
            while True:
                rows = cur.fetchmany(1000)
                if not rows:
                    break
                for row in rows:
                    sink.write(row)
