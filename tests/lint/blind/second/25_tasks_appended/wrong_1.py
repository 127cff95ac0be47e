import asyncio

from chat.moderation import inspect


class Moderator:
    def __init__(self) -> None:
        self.tasks: list[asyncio.Task] = []

    async def on_message(self, message: dict) -> None:
        task = asyncio.create_task(inspect(message))
        self.tasks.append(task)

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
