from functools import lru_cache

from sqlalchemy import text
from sqlalchemy.orm import Session


class PricingService:
    def __init__(self, session: Session, currency: str = "EUR") -> None:
        self.session = session
        self.currency = currency

    @lru_cache()
    def rate(self, target: str, day: str) -> float:
        row = self.session.execute(
            text("SELECT rate FROM fx WHERE base = :b AND target = :t AND day = :d"),
            {"b": self.currency, "t": target, "d": day},
        ).one()
        return row.rate

    @lru_cache(maxsize=4096)
    def price(self, sku: str, target: str, day: str) -> float:
        base = self.session.execute(
            text("SELECT price FROM products WHERE sku = :s"), {"s": sku}
        ).scalar_one()
        return base * self.rate(target, day)
