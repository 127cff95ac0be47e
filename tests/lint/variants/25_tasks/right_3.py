import asyncio


class Service:
    async def start(self):
        self._ticker = asyncio.create_task(self.tick())

    async def stop(self):
        self._ticker.cancel()

    async def tick(self):
        while True:
            await asyncio.sleep(1)
