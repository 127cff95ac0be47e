import asyncpg


class TicketScanner:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool

    async def scan(self, visit) -> None:
        page = 0
        per_page = 250
        while True:
            async with self.pool.acquire() as con:
                tickets = await con.fetch(
                    f"SELECT id, subject FROM tickets ORDER BY created_at LIMIT {per_page} OFFSET {page * per_page}"
                )
            if not tickets:
                break
            for ticket in tickets:
                await visit(ticket["id"], ticket["subject"])
            page += 1
