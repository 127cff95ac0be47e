import redis.asyncio as aioredis


async def expire_all(url, pattern, ttl):
    client = aioredis.from_url(url)
    keys = [k async for k in client.scan_iter(match=pattern)]
    for key in keys:
        await client.expire(key, ttl)
    await client.aclose()
