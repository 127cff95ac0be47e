"""A server of the `websockets` library that broadcasts: `python -m benchmarks.live.broadcasting PORT PUBLICATIONS_PORT LOOP`.

A client says who he is, then what topics he follows; publications come on a port of their own, many at a time.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
from collections import defaultdict
from typing import Any


async def serve(port: int, publications: int) -> None:
    """Until it is killed."""
    from websockets.asyncio.server import broadcast
    from websockets.asyncio.server import serve as served

    followers: dict[int, list[Any]] = defaultdict(list)

    async def client(connection: Any) -> None:
        async for text in connection:
            said = json.loads(text)
            for topic in said.get("topics", ()):
                followers[topic].append(connection)
            await connection.send('{"op":"ready"}')

    async def publisher(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(4):
            (count,) = struct.unpack("!I", head)
            found = []
            for _ in range(count):
                topic, size = struct.unpack("!II", await reader.readexactly(8))
                found.append((topic, (await reader.readexactly(size)).decode()))
            for topic, text in found:
                broadcast(followers[topic], text)
            writer.write(b".")

    options = {"compression": None, "ping_interval": None, "open_timeout": None, "backlog": 4_096}
    async with (
        served(client, "127.0.0.1", port, **options),
        await asyncio.start_server(publisher, "127.0.0.1", publications),
    ):
        await asyncio.get_running_loop().create_future()


def main(argv: list[str]) -> None:
    """On asyncio's own loop, or on uvloop."""
    port, publications, loop = argv
    if loop == "uvloop":
        import uvloop

        uvloop.run(serve(int(port), int(publications)))
    else:
        asyncio.run(serve(int(port), int(publications)))


if __name__ == "__main__":
    main(sys.argv[1:])
