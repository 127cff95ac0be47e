import asyncio
from collections import deque


class CommandHistory:
    def __init__(self) -> None:
        self.recent: deque[str] = deque(maxlen=200)
        self.outbox: asyncio.Queue[str] = asyncio.Queue(100)

    async def submit(self, command: str) -> None:
        self.recent.append(command)
        await self.outbox.put(command)

    async def drain(self, send) -> None:
        while True:
            await send(await self.outbox.get())
