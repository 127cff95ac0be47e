import asyncpg
import httpx

PATH = "/v1/verify"


async def verify_addresses(pool: asyncpg.Pool, http: httpx.AsyncClient) -> None:
    async with pool.acquire() as conn:
        async with conn.transaction():
            async for row in conn.cursor("SELECT id, street, city FROM addresses WHERE NOT verified"):
                reply = await http.get(PATH, params={"street": row["street"], "city": row["city"]})
                if reply.json()["valid"]:
                    await conn.execute("UPDATE addresses SET verified = true WHERE id = $1", row["id"])
