from functools import cached_property

import psycopg


class Warehouse:
    def __init__(self, conn: psycopg.Connection):
        self.conn = conn

    @cached_property
    def item_count(self) -> int:
        row = self.conn.execute("SELECT count(*) FROM items").fetchone()
        return row[0]

    @cached_property
    def newest(self) -> list[tuple]:
        return self.conn.execute(
            "SELECT id, name FROM items ORDER BY created_at DESC LIMIT 10"
        ).fetchall()
