from functools import lru_cache

import sqlite3


class TariffService:
    def __init__(self, conn: sqlite3.Connection) -> None:
        self.conn = conn

    @lru_cache(maxsize=None)
    def price(self, zone: int, weight_class: str) -> float:
        row = self.conn.execute(
            "SELECT price FROM tariffs WHERE zone = ? AND weight_class = ?",
            (zone, weight_class),
        ).fetchone()
        return row[0] if row else 0.0
