import sqlite3
from functools import cached_property


class Catalogue:
    def __init__(self, path: str) -> None:
        self.path = path

    @cached_property
    def conn(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path)

    @cached_property
    def item_count(self) -> int:
        return self.conn.execute("SELECT count(*) FROM items").fetchone()[0]

    @cached_property
    def newest(self) -> list[tuple]:
        return self.conn.execute(
            "SELECT sku, title FROM items ORDER BY added DESC LIMIT 25"
        ).fetchall()
