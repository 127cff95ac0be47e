import asyncio
from pathlib import Path

import aiohttp


async def fetch_recording(session: aiohttp.ClientSession, url: str, dest: Path) -> None:
    async with session.get(url) as resp:
        resp.raise_for_status()
        body = await resp.read()
        dest.write_bytes(body)


async def main(urls: list[str], folder: Path) -> None:
    async with aiohttp.ClientSession() as session:
        for url in urls:
            await fetch_recording(session, url, folder / url.rsplit("/", 1)[-1])


if __name__ == "__main__":
    asyncio.run(main(["https://media.example.com/archive/concert.mkv"], Path("out")))
