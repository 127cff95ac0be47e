import asyncio

import httpx

SERVICES = ("auth", "billing", "search")


async def health() -> dict[str, bool]:
    async with httpx.AsyncClient(timeout=2) as client:
        replies = await asyncio.gather(
            *[client.get(f"http://{name}/healthz") for name in SERVICES]
        )
    return {name: reply.is_success for name, reply in zip(SERVICES, replies)}
