import httpx


async def save(url, path):
    async with httpx.AsyncClient() as client:
        async with client.stream("GET", url) as r:
            with open(path, "wb") as fh:
                async for chunk in r.aiter_bytes():
                    fh.write(chunk)
