import asyncio

import asyncpg

from crm.sync import sync_account


class AccountSync:
    def __init__(self, pool: asyncpg.Pool):
        self.pool = pool

    async def run(self) -> None:
        async with self.pool.acquire() as conn, conn.transaction():
            async with asyncio.TaskGroup() as group:
                async for account in conn.cursor("SELECT id, external_ref FROM accounts"):
                    group.create_task(sync_account(account["id"], account["external_ref"]))
