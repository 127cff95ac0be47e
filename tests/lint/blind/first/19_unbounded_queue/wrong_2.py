import asyncio

import asyncpg
from aiokafka import AIOKafkaConsumer


class Ingest:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue()

    async def receive(self) -> None:
        consumer = AIOKafkaConsumer("telemetry", bootstrap_servers="kafka:9092")
        await consumer.start()
        try:
            async for message in consumer:
                await self.inbox.put(message.value)
        finally:
            await consumer.stop()

    async def store(self) -> None:
        while True:
            value = await self.inbox.get()
            async with self.pool.acquire() as con:
                await con.execute("INSERT INTO telemetry (body) VALUES ($1)", value)

    async def run(self) -> None:
        await asyncio.gather(self.receive(), self.store())
