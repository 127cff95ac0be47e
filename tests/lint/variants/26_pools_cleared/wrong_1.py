import asyncio


class Scheduler:
    def __init__(self):
        self._running = []

    async def loop(self, source):
        while True:
            job = await source.next()
            self._running.append(asyncio.create_task(job.run()))
