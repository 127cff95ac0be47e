import asyncpg


class LoginStats:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool

    async def failed_logins(self) -> int:
        async with self.pool.acquire() as conn:
            async with conn.transaction():
                failures = [
                    record
                    async for record in conn.cursor("SELECT ip, ok FROM login_attempts")
                    if not record["ok"]
                ]
        return len(failures)
