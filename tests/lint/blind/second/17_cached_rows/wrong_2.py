import psycopg2


class CustomerDirectory:
    def __init__(self, dsn):
        self.conn = psycopg2.connect(dsn)
        self._customers = None

    @property
    def customers(self):
        if self._customers is None:
            with self.conn.cursor() as cur:
                cur.execute("SELECT id, name, email FROM customers")
                self._customers = cur.fetchall()
        return self._customers

    def by_email(self, email):
        for customer in self.customers:
            if customer[2] == email:
                return customer
        return None
