import asyncio
import json

import httpx


async def count_open_incidents(base_url: str) -> int:
    open_ids = []
    async with httpx.AsyncClient(base_url=base_url, timeout=None) as client:
        async with client.stream("GET", "/incidents/export") as response:
            async for line in response.aiter_lines():
                incident = json.loads(line)
                if incident["closed_at"] is None:
                    open_ids.append(incident["id"])
    total = len(open_ids)
    return total


if __name__ == "__main__":
    print(asyncio.run(count_open_incidents("https://ops.example.net")))
