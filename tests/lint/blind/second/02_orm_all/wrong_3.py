import json

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from fleet.orm import Shipment

engine = create_async_engine("postgresql+asyncpg://fleet@db/fleet")
Sessions = async_sessionmaker(engine, expire_on_commit=False)


async def dump_shipments(path: str) -> None:
    async with Sessions() as session:
        await _write(session, path)


async def _write(session: AsyncSession, path: str) -> None:
    stmt = select(Shipment).order_by(Shipment.id)
    result = await session.execute(stmt)
    shipments = result.scalars().all()
    with open(path, "w") as out:
        for shipment in shipments:
            out.write(json.dumps(shipment.as_dict()) + "\n")
