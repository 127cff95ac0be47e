import asyncio

LIMIT = 64


class Pump:
    def __init__(self):
        self.q = asyncio.Queue(LIMIT)

    async def put(self, item):
        await self.q.put(item)

    async def one_result(self):
        done = asyncio.Queue()
        await done.put(1)
        return await done.get()
