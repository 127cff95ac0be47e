import asyncio

import aiosqlite
import paho.mqtt.client as mqtt


class MqttRecorder:
    def __init__(self, host: str) -> None:
        self.queue = asyncio.Queue()
        self.client = mqtt.Client()
        self.client.on_message = self._on_message
        self.client.connect(host)
        self.loop = asyncio.get_running_loop()

    def _on_message(self, client, userdata, message) -> None:
        self.loop.call_soon_threadsafe(self.queue.put_nowait, (message.topic, message.payload))

    async def record(self, db_path: str) -> None:
        self.client.loop_start()
        async with aiosqlite.connect(db_path) as db:
            while True:
                topic, payload = await self.queue.get()
                await db.execute("INSERT INTO samples VALUES (?, ?)", (topic, payload))
                await db.commit()
