from fastapi import FastAPI, WebSocket

app = FastAPI()
sockets: dict[str, WebSocket] = {}


@app.websocket("/ws/{device_id}")
async def device_socket(websocket: WebSocket, device_id: str) -> None:
    await websocket.accept()
    sockets[device_id] = websocket
    try:
        async for _ in websocket.iter_text():
            await websocket.send_text("ack")
    finally:
        sockets.pop(device_id, None)
