import asyncio

from motor.motor_asyncio import AsyncIOMotorClient

from vision.labels import label_image


async def relabel(uri: str) -> int:
    images = AsyncIOMotorClient(uri).gallery.images
    tasks = []
    async for doc in images.find({"labels": {"$exists": False}}):
        tasks.append(asyncio.create_task(label_image(doc["_id"], doc["path"])))
    done = await asyncio.gather(*tasks)
    return sum(1 for d in done if d)


if __name__ == "__main__":
    print(asyncio.run(relabel("mongodb://localhost")))
