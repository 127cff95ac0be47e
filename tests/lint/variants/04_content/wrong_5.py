import aiohttp
import aiofiles


async def save_video(session: aiohttp.ClientSession, url, dest):
    async with session.get(url) as resp:
        resp.raise_for_status()
        body = await resp.read()
    async with aiofiles.open(dest, "wb") as f:
        await f.write(body)
