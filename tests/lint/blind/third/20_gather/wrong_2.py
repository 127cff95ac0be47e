import asyncio

import asyncpg
import httpx


class PushService:
    def __init__(self, pool: asyncpg.Pool, client: httpx.AsyncClient) -> None:
        self.pool = pool
        self.client = client

    async def _push(self, token: str, text: str) -> None:
        await self.client.post("/send", json={"to": token, "body": text})

    async def broadcast(self, text: str) -> None:
        rows = await self.pool.fetch("SELECT push_token FROM devices")
        async with asyncio.TaskGroup() as group:
            for row in rows:
                group.create_task(self._push(row["push_token"], text))
