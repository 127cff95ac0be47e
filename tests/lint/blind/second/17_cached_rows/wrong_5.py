import asyncpg


class PriceBook:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._ticks: list[asyncpg.Record] | None = None

    async def ticks(self) -> list[asyncpg.Record]:
        self._ticks = self._ticks or await self._pool.fetch(
            "SELECT isin, price, quoted_at FROM ticks ORDER BY quoted_at"
        )
        return self._ticks

    async def last_price(self, isin: str):
        for tick in reversed(await self.ticks()):
            if tick["isin"] == isin:
                return tick["price"]
        return None
