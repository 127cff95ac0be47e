import psycopg2


class AuditTrail:
    def __init__(self, dsn):
        self._conn = psycopg2.connect(dsn)

    def batches(self, size=1000):
        cur = self._conn.cursor()
        cur.execute("SELECT id, actor, action, happened_at FROM audit_log ORDER BY id")
        while True:
            rows = cur.fetchmany(size)
            if not rows:
                break
            yield rows
        cur.close()

    def archive(self, writer):
        for rows in self.batches():
            writer.writerows(rows)

    def close(self):
        self._conn.close()
