import asyncio

import httpx


async def check(client: httpx.AsyncClient, url: str) -> tuple[str, int]:
    reply = await client.head(url, follow_redirects=True)
    return url, reply.status_code


async def check_links(path: str) -> None:
    async with httpx.AsyncClient(timeout=10) as client:
        with open(path) as fh:
            results = await asyncio.gather(*[check(client, line.strip()) for line in fh])
    for url, status in results:
        if status >= 400:
            print(status, url)


if __name__ == "__main__":
    asyncio.run(check_links("links.txt"))
