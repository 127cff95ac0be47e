import httpx


async def fetch_archive(url: str, path: str) -> None:
    async with httpx.AsyncClient(timeout=None) as client:
        r = await client.get(url)
        data = r.content
    with open(path, "wb") as fh:
        fh.write(data)
