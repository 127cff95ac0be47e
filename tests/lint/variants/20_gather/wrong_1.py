import asyncio

import httpx


async def check_all(urls):
    async with httpx.AsyncClient() as client:
        responses = await asyncio.gather(*[client.get(u) for u in urls])
    return {str(r.url): r.status_code for r in responses}
