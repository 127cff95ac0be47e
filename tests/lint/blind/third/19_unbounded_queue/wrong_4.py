import math

import anyio
import httpx
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream


async def read_addresses(path: str, send: MemoryObjectSendStream[str]) -> None:
    async with send, await anyio.open_file(path) as f:
        async for line in f:
            await send.send(line.strip())


async def geocode(receive: MemoryObjectReceiveStream[str]) -> None:
    async with httpx.AsyncClient() as client, receive:
        async for address in receive:
            resp = await client.get("https://geo.example/v1", params={"q": address})
            print(address, resp.json())


async def main() -> None:
    send, receive = anyio.create_memory_object_stream[str](math.inf)
    async with anyio.create_task_group() as tg:
        tg.start_soon(read_addresses, "addresses.txt", send)
        tg.start_soon(geocode, receive)


anyio.run(main)
