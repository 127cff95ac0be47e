import asyncio
import aiohttp


async def crawl(path):
    async with aiohttp.ClientSession() as session:
        with open(path) as fh:
            await asyncio.gather(*(fetch(session, line.strip()) for line in fh))


async def fetch(session, url):
    async with session.get(url) as r:
        return r.status
