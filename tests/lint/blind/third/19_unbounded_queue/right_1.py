import asyncio
from collections import deque


class RollingMean:
    def __init__(self, width: int) -> None:
        self.window = deque(maxlen=width)

    def add(self, value: float) -> float:
        self.window.append(value)
        return sum(self.window) / len(self.window)


async def pipeline(source, sink) -> None:
    queue: asyncio.Queue = asyncio.Queue(maxsize=100)

    async def produce() -> None:
        async for item in source:
            await queue.put(item)
        await queue.put(None)

    async def consume() -> None:
        while (item := await queue.get()) is not None:
            await sink.write(item)

    await asyncio.gather(produce(), consume())
