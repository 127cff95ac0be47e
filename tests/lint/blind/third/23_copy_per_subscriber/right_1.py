import json

from aiohttp import web


async def broadcast(app: web.Application, event: dict) -> None:
    message = json.dumps(event)
    for ws in set(app["sockets"]):
        await ws.send_str(message)


async def write_jsonl(records, out) -> None:
    for record in records:
        out.write(json.dumps(record) + "\n")


async def greet(app: web.Application) -> None:
    for ws in set(app["sockets"]):
        await ws.send_str(json.dumps({"hello": ws.headers.get("name")}))
