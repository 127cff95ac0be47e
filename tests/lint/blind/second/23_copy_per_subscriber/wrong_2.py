import json

from aiohttp import web

sockets: set[web.WebSocketResponse] = set()


async def broadcast(state: dict) -> None:
    for ws in list(sockets):
        await ws.send_str(json.dumps(state))


async def arena(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    sockets.add(ws)
    try:
        async for message in ws:
            await broadcast({"move": message.data, "board": request.app["board"]})
    finally:
        sockets.discard(ws)
    return ws
