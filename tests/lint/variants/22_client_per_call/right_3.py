import asyncio

import httpx


async def main(urls):
    async with httpx.AsyncClient() as client:
        for url in urls:
            r = await client.get(url)
            print(r.status_code)


if __name__ == "__main__":
    asyncio.run(main(["https://example.com"]))
