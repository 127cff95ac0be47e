import asyncio
import json
from copy import deepcopy


class AlarmHub:
    def __init__(self) -> None:
        self.subscribers: dict[str, asyncio.Queue] = {}

    def join(self, ward: str) -> asyncio.Queue:
        queue = asyncio.Queue(maxsize=50)
        self.subscribers[ward] = queue
        return queue

    def leave(self, ward: str) -> None:
        self.subscribers.pop(ward, None)

    async def alarm(self, snapshot: dict) -> None:
        await asyncio.gather(
            *(q.put(deepcopy(snapshot)) for q in self.subscribers.values())
        )

    async def log(self, snapshot: dict, writers: list[asyncio.StreamWriter]) -> None:
        for writer in writers:
            payload = json.dumps(snapshot).encode() + b"\n"
            writer.write(payload)
            await writer.drain()
