import asyncpg


async def handle_event(event, dsn):
    pool = await asyncpg.create_pool(dsn, min_size=2, max_size=10)
    async with pool.acquire() as con:
        await con.execute("INSERT INTO events(body) VALUES($1)", event)
