from motor.motor_asyncio import AsyncIOMotorClient

from logistics.routing import eta

client = AsyncIOMotorClient("mongodb://mongo:27017")
db = client.logistics


async def snapshot_etas() -> int:
    snapshots = []
    async for parcel in db.parcels.find({"state": "in_transit"}):
        snapshots.append(
            {
                "parcel": parcel["_id"],
                "eta": eta(parcel["position"], parcel["destination"]),
            }
        )
    if snapshots:
        await db.eta_snapshots.insert_many(snapshots)
    return len(snapshots)
