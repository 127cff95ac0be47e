import asyncio

import asyncpg
import httpx


class AddressBackfill:
    def __init__(self, pool: asyncpg.Pool, geocoder: httpx.AsyncClient) -> None:
        self.pool = pool
        self.geocoder = geocoder

    async def run(self) -> None:
        async with self.pool.acquire() as conn:
            async with conn.transaction():
                query = "SELECT id, street, city FROM addresses WHERE lat IS NULL"
                async for row in conn.cursor(query, prefetch=100):
                    resp = await self.geocoder.get(
                        "/search", params={"street": row["street"], "city": row["city"]}
                    )
                    hit = resp.json()[0]
                    await conn.execute(
                        "UPDATE addresses SET lat = $1, lon = $2 WHERE id = $3",
                        float(hit["lat"]), float(hit["lon"]), row["id"],
                    )
                    await asyncio.sleep(1.0)
