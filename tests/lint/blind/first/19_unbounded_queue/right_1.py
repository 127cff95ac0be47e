import asyncio

import aiofiles


async def pump(path: str, send) -> None:
    lines: asyncio.Queue = asyncio.Queue(maxsize=100)

    async def produce() -> None:
        async with aiofiles.open(path) as handle:
            async for line in handle:
                await lines.put(line)
        await lines.put(None)

    async def consume() -> None:
        while (line := await lines.get()) is not None:
            await send(line)

    await asyncio.gather(produce(), consume())
