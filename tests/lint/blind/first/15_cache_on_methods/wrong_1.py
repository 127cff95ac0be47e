from functools import lru_cache

import psycopg


class PriceService:
    def __init__(self, dsn: str) -> None:
        self.conn = psycopg.connect(dsn)

    @lru_cache(maxsize=1024)
    def price_of(self, sku: str) -> int:
        cur = self.conn.execute("SELECT cents FROM prices WHERE sku = %s", (sku,))
        found = cur.fetchone()
        return found[0] if found else 0

    def basket_total(self, skus: list[str]) -> int:
        return sum(self.price_of(sku) for sku in skus)
