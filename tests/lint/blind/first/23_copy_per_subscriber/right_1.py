import json

from fastapi import WebSocket


class Room:
    def __init__(self) -> None:
        self.members: set[WebSocket] = set()

    async def broadcast(self, message: dict) -> None:
        text = json.dumps(message)
        for member in self.members:
            await member.send_text(text)
