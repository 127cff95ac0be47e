import asyncio


async def produce(reader, q):
    while line := await reader.readline():
        await q.put(line)
    await q.put(None)


async def consume(q, db):
    while (line := await q.get()) is not None:
        await db.store(line)


async def main(reader, db):
    q = asyncio.Queue()
    await asyncio.gather(produce(reader, q), consume(q, db))
