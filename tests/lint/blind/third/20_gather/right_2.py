import asyncio
from itertools import batched

import aiohttp


async def probe(session: aiohttp.ClientSession, host: str) -> None:
    async with session.get(f"https://{host}/") as resp:
        print(host, resp.status)


async def probe_all(path: str) -> None:
    async with aiohttp.ClientSession() as session:
        with open(path) as hosts:
            for group in batched(hosts, 50):
                await asyncio.gather(*(probe(session, h.strip()) for h in group))
