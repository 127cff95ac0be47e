import asyncio


async def enrich(rows, api):
    tasks = []
    for row in rows:
        tasks.append(asyncio.create_task(api.enrich(row)))
    return await asyncio.gather(*tasks)
