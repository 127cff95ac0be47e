from functools import lru_cache


class ProductService:
    def __init__(self, db):
        self.db = db

    @lru_cache(maxsize=None)
    def price(self, sku):
        return self.db.fetch_price(sku)
