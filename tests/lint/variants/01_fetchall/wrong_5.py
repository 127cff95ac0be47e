import asyncpg


async def push_all_positions(pool: asyncpg.Pool, broker) -> int:
    n = 0
    async with pool.acquire() as con:
        records = await con.fetch("SELECT vehicle_id, lat, lon, ts FROM gps_positions")
    for rec in records:
        await broker.publish("positions", dict(rec))
        n += 1
    return n
