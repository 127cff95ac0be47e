import asyncio


async def worker(number: int, inbox: asyncio.Queue, handle) -> None:
    while (item := await inbox.get()) is not None:
        await handle(number, item)


async def run(source, handle, count: int = 8) -> None:
    inbox: asyncio.Queue = asyncio.Queue(maxsize=count * 2)
    crew = [asyncio.create_task(worker(n, inbox, handle)) for n in range(count)]
    async for item in source:
        await inbox.put(item)
    for _ in crew:
        await inbox.put(None)
    await asyncio.gather(*crew)
