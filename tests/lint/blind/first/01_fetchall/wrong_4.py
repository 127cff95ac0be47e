from dataclasses import dataclass
from typing import Iterator

from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine


@dataclass
class Trade:
    isin: str
    qty: int
    price: float


def make_engine(url: str) -> Engine:
    return create_engine(url, pool_pre_ping=True)


class Ledger:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def trades(self, book: str) -> Iterator[Trade]:
        stmt = text("select isin, qty, price from trades where book = :book")
        with self.engine.connect() as connection:
            result = connection.execute(stmt, {"book": book})
            for row in result.fetchall():
                yield Trade(row.isin, row.qty, row.price)

    def exposure(self, book: str) -> float:
        total = 0.0
        for trade in self.trades(book):
            total += trade.qty * trade.price
        return total
