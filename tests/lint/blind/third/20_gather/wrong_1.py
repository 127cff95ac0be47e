import asyncio

import aiohttp


async def check(session: aiohttp.ClientSession, url: str) -> tuple[str, int]:
    async with session.head(url, allow_redirects=True) as resp:
        return url, resp.status


async def check_all(path: str) -> None:
    async with aiohttp.ClientSession() as session:
        with open(path) as urls:
            results = await asyncio.gather(*[check(session, u.strip()) for u in urls])
    for url, status in results:
        if status >= 400:
            print(status, url)


if __name__ == "__main__":
    asyncio.run(check_all("links.txt"))
