from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
connections: dict[str, WebSocket] = {}


@app.websocket("/chat/{user}")
async def chat(ws: WebSocket, user: str):
    await ws.accept()
    connections[user] = ws
    try:
        while True:
            text = await ws.receive_text()
            for other in connections.values():
                await other.send_text(f"{user}: {text}")
    except WebSocketDisconnect:
        pass
    finally:
        connections.pop(user, None)
