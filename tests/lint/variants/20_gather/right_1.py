import asyncio


async def start(server, worker):
    await asyncio.gather(server.run(), worker.run())


async def three(api):
    return await asyncio.gather(*[api.ping(i) for i in range(3)])
