import asyncio
import datetime as dt

import aiosqlite
import httpx


async def push_messages(db_path: str, webhook: str, day: dt.date) -> None:
    async with aiosqlite.connect(db_path) as db, httpx.AsyncClient() as http:
        db.row_factory = aiosqlite.Row
        async with db.execute(
            "SELECT room, author, body FROM chat_messages WHERE date(sent_at) = ?",
            (day.isoformat(),),
        ) as cursor:
            messages = await cursor.fetchall()
        for message in messages:
            await http.post(webhook, json=dict(message))


if __name__ == "__main__":
    asyncio.run(push_messages("chat.db", "https://hooks.example.org/in", dt.date.today()))
