import asyncio

import httpx

REGIONS = ["eu", "us", "ap"]


async def health(client: httpx.AsyncClient, region: str) -> bool:
    resp = await client.get(f"https://{region}.example.com/health")
    return resp.status_code == 200


async def all_healthy() -> bool:
    async with httpx.AsyncClient() as client:
        states = await asyncio.gather(*[health(client, r) for r in REGIONS])
        first, second = await asyncio.gather(health(client, "sa"), health(client, "af"))
    return all(states) and first and second
