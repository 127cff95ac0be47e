import asyncio

from aiokafka import AIOKafkaConsumer

from fraud.scoring import score


class Scorer:
    def __init__(self, brokers: str) -> None:
        self.consumer = AIOKafkaConsumer("payments", bootstrap_servers=brokers)
        self.pending: asyncio.Queue[bytes] = asyncio.Queue()

    async def _pull(self) -> None:
        async for message in self.consumer:
            await self.pending.put(message.value)

    async def _work(self) -> None:
        while True:
            payload = await self.pending.get()
            await score(payload)
            self.pending.task_done()

    async def run(self) -> None:
        await self.consumer.start()
        async with asyncio.TaskGroup() as tg:
            tg.create_task(self._pull())
            tg.create_task(self._work())
