import json

import aiohttp

FEED = "https://feeds.example.com/trades/{day}.ndjson"


async def ingest_day(session: aiohttp.ClientSession, day: str, sink) -> int:
    n = 0
    async with session.get(FEED.format(day=day)) as resp:
        resp.raise_for_status()
        payload = await resp.text()
        for line in payload.split("\n"):
            if not line.strip():
                continue
            trade = json.loads(line)
            await sink.write(trade["isin"], trade["price"], trade["qty"])
            n += 1
    return n


async def run(days, sink):
    async with aiohttp.ClientSession() as session:
        for day in days:
            await ingest_day(session, day, sink)
