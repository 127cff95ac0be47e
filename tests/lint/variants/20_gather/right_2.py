import asyncio
from itertools import batched


async def check_all(client, urls):
    for group in batched(urls, 50):
        for response in await asyncio.gather(*[client.get(u) for u in group]):
            print(response.status_code)
