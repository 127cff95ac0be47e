import asyncio

import websockets

locks = {}


def lock_for(document_id):
    return locks.setdefault(document_id, asyncio.Lock())


async def handle(websocket):
    async for message in websocket:
        document_id, _, patch = message.partition(":")
        async with lock_for(document_id):
            await apply_patch(document_id, patch)
        await websocket.send("ok")


async def apply_patch(document_id, patch):
    with open(f"/srv/docs/{document_id}.log", "a") as fh:
        fh.write(patch + "\n")


async def main():
    async with websockets.serve(handle, "0.0.0.0", 8765):
        await asyncio.Future()
