import asyncio


class Server:
    def __init__(self, loop):
        self.loop = loop
        self.tasks = []

    def on_message(self, client, message):
        task = self.loop.create_task(self.process(client, message))
        self.tasks.append(task)

    async def process(self, client, message):
        await client.reply(message)
