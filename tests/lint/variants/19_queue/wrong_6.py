import asyncio
from dataclasses import dataclass, field


@dataclass
class Subscriber:
    name: str
    queue: asyncio.Queue = field(default_factory=asyncio.Queue)


class Hub:
    def __init__(self):
        self.subscribers: set[Subscriber] = set()

    def broadcast(self, message):
        for sub in self.subscribers:
            sub.queue.put_nowait(message)

    async def listen(self, sub):
        while True:
            yield await sub.queue.get()
