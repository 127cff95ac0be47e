from typing import AsyncIterator

import httpx


async def pages(client: httpx.AsyncClient, path: str) -> AsyncIterator[list[dict]]:
    cursor = None
    while True:
        reply = await client.get(path, params={"cursor": cursor} if cursor else None)
        body = reply.json()
        yield body["items"]
        cursor = body.get("next_cursor")
        if not cursor:
            return


async def copy_members(source: httpx.AsyncClient, target: httpx.AsyncClient) -> None:
    members = [m async for page in pages(source, "/members") for m in page]
    for member in members:
        await target.post("/members", json=member)
