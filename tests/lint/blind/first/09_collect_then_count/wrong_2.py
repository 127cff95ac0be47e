import psycopg


class Revenue:
    def __init__(self, dsn: str) -> None:
        self.conn = psycopg.connect(dsn)

    def of_year(self, year: int) -> int:
        amounts = []
        with self.conn.cursor(name="revenue") as cur:
            cur.execute("SELECT net_cents, refunded FROM invoices WHERE year = %s", (year,))
            for net_cents, refunded in cur:
                if not refunded:
                    amounts.append(net_cents)
        return sum(amounts)
