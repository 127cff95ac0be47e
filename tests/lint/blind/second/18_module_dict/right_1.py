import uuid

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
connections: dict[str, WebSocket] = {}


@app.websocket("/live")
async def live(websocket: WebSocket):
    await websocket.accept()
    key = uuid.uuid4().hex
    connections[key] = websocket
    try:
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        connections.pop(key, None)
