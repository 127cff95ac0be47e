import asyncio


async def import_records(records, handler):
    async with asyncio.TaskGroup() as tg:
        async for record in records:
            tg.create_task(handler(record))
