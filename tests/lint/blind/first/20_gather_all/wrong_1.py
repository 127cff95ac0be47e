import asyncio
import csv

import httpx


async def check_links(csv_path: str) -> None:
    async with httpx.AsyncClient(follow_redirects=True) as client:
        with open(csv_path, newline="") as handle:
            replies = await asyncio.gather(
                *[client.head(row["url"]) for row in csv.DictReader(handle)]
            )
    for reply in replies:
        if reply.status_code >= 400:
            print(reply.status_code, reply.url)
