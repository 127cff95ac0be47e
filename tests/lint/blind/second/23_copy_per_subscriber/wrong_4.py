import asyncio
from copy import deepcopy

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()


class RoomManager:
    def __init__(self):
        self.members: dict[str, asyncio.Queue] = {}

    async def announce(self, snapshot: dict) -> None:
        await asyncio.gather(*[q.put(deepcopy(snapshot)) for q in self.members.values()])


rooms = RoomManager()


@app.websocket("/room/{nick}")
async def room(ws: WebSocket, nick: str):
    await ws.accept()
    rooms.members[nick] = asyncio.Queue(maxsize=50)
    try:
        while True:
            await rooms.announce(await ws.receive_json())
    except WebSocketDisconnect:
        del rooms.members[nick]
