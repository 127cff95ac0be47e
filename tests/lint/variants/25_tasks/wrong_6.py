import asyncio
import websockets

clients = set()


async def on_connect(ws):
    clients.add(ws)
    async for message in ws:
        for other in clients:
            asyncio.ensure_future(other.send(message))


async def main():
    async with websockets.serve(on_connect, "0.0.0.0", 8765):
        await asyncio.Future()
