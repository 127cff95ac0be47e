import orjson
from fastapi import WebSocket


class ConnectionManager:
    def __init__(self):
        self.active: list[WebSocket] = []

    async def send_update(self, update: dict):
        for connection in self.active:
            await connection.send_bytes(orjson.dumps(update))
