import asyncio
import gc


class Poller:
    tasks: list[asyncio.Task] = []

    async def run(self, api):
        while True:
            for update in await api.get_updates():
                t = asyncio.ensure_future(self.handle(update))
                Poller.tasks.append(t)
            gc.collect()
            await asyncio.sleep(1)

    async def handle(self, update):
        print(update)
