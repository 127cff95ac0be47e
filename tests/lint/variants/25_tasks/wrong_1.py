import asyncio


class Gateway:
    async def serve(self, stream):
        async for event in stream:
            asyncio.create_task(self.handle(event))

    async def handle(self, event):
        await asyncio.sleep(5)
        print(event)
