import json

from aiohttp import web


async def broadcast(app: web.Application, state: dict) -> None:
    text = json.dumps(state)
    for ws in list(app["sockets"]):
        if not ws.closed:
            await ws.send_str(text)


async def shutdown(app: web.Application) -> None:
    for ws in list(app["sockets"]):
        await ws.close(code=1001, message=b"going away")


def make_app() -> web.Application:
    app = web.Application()
    app["sockets"] = set()
    app.on_shutdown.append(shutdown)
    return app
