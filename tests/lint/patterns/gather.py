import asyncio

import anyio


async def one(urls, fetch):
    return await asyncio.gather(*[fetch(url) for url in urls])  # FW402


async def two(path, handle):
    with open(path) as file:
        await asyncio.gather(*(handle(line) for line in file))  # FW402


async def three(rows, save):
    tasks = [asyncio.create_task(save(row)) for row in rows]  # FW402
    await asyncio.gather(*tasks)


async def four(items, work):
    async with asyncio.TaskGroup() as group:
        for item in items:
            group.create_task(work(item))  # FW402


async def five(messages, handle):
    tasks = []
    async for message in messages:
        tasks.append(asyncio.ensure_future(handle(message)))  # FW402
    await asyncio.wait(tasks)
