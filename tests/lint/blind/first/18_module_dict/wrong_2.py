import asyncio

from fastapi import FastAPI, WebSocket

app = FastAPI()
last_seen: dict[str, float] = {}


@app.websocket("/ws/{device_id}")
async def device_socket(websocket: WebSocket, device_id: str) -> None:
    await websocket.accept()
    loop = asyncio.get_running_loop()
    async for text in websocket.iter_text():
        last_seen[device_id] = loop.time()
        await websocket.send_text("ack")


@app.get("/online")
def online() -> dict:
    return {"devices": len(last_seen)}
