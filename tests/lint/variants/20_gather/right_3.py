import asyncio


async def run_workers(n_workers: int, q: asyncio.Queue, handle):
    async def worker():
        while True:
            handle(await q.get())

    workers = [asyncio.create_task(worker()) for _ in range(4)]
    await asyncio.gather(*workers)
