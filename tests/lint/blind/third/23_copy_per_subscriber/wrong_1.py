import json

from fastapi import FastAPI, WebSocket

app = FastAPI()
spectators: set[WebSocket] = set()


async def broadcast_state(state: dict) -> None:
    for ws in list(spectators):
        await ws.send_text(json.dumps(state))


@app.websocket("/watch")
async def watch(ws: WebSocket) -> None:
    await ws.accept()
    spectators.add(ws)
    try:
        async for _ in ws.iter_text():
            pass
    finally:
        spectators.discard(ws)
