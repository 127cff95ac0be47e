import asyncio

import asyncpg

from mailer import send_mail


async def remind(pool: asyncpg.Pool) -> None:
    records = await pool.fetch("SELECT email, due FROM invoices WHERE paid_at IS NULL")
    await asyncio.gather(*(send_mail(r["email"], r["due"]) for r in records))


async def main() -> None:
    async with asyncpg.create_pool("postgresql:///billing") as pool:
        await remind(pool)


if __name__ == "__main__":
    asyncio.run(main())
