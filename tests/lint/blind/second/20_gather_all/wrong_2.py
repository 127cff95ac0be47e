import asyncio

from motor.motor_asyncio import AsyncIOMotorClient

from push.gateway import Gateway

db = AsyncIOMotorClient("mongodb://mongo").app
gateway = Gateway()


async def broadcast(text: str) -> int:
    jobs = []
    async for device in db.devices.find({"active": True}):
        jobs.append(gateway.push(device["token"], text))
    results = await asyncio.gather(*jobs, return_exceptions=True)
    return sum(1 for r in results if not isinstance(r, Exception))
