import psycopg2


class SchemaInspector:
    """Prints the columns of a table for the migration report."""

    def __init__(self, dsn: str):
        self.conn = psycopg2.connect(dsn)

    def columns(self, table: str) -> dict[str, str]:
        kinds = {}
        with self.conn.cursor() as cur:
            cur.execute(
                "SELECT column_name, data_type FROM information_schema.columns"
                " WHERE table_name = %s",
                (table,),
            )
            for name, kind in cur.fetchall():
                kinds[name] = kind
        return kinds
