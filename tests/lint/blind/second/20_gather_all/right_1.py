import asyncio

import httpx

SERVICES = {
    "billing": "http://billing/health",
    "search": "http://search/health",
    "mail": "http://mail/health",
}


async def probe(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).is_success
    except httpx.HTTPError:
        return False


async def health() -> dict[str, bool]:
    async with httpx.AsyncClient(timeout=2) as client:
        states = await asyncio.gather(*[probe(client, url) for url in SERVICES.values()])
    return dict(zip(SERVICES, states))
