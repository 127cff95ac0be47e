import psycopg


class LedgerRepository:
    def __init__(self, dsn):
        self.dsn = dsn

    def rebuild_balances(self, sink):
        with psycopg.connect(self.dsn) as conn:
            with conn.cursor() as cur:
                cur.execute("SELECT account_id, amount FROM ledger_entries")
                for account_id, amount in cur.fetchall():
                    sink.add(account_id, amount)
