import asyncio
import logging

import aiosqlite

log = logging.getLogger(__name__)


async def replay_messages(path, handler):
    async with aiosqlite.connect(path) as db:
        db.row_factory = aiosqlite.Row
        async with db.execute("SELECT room, sender, body, sent_at FROM messages ORDER BY sent_at") as cursor:
            rows = await cursor.fetchall()
        replayed = 0
        for row in rows:
            await handler(row["room"], row["sender"], row["body"])
            replayed += 1
    log.info("replayed %d messages", replayed)


async def print_message(room, sender, body):
    print(f"[{room}] <{sender}> {body}")


if __name__ == "__main__":
    asyncio.run(replay_messages("chat.db", print_message))
