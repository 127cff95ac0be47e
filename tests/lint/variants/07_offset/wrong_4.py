from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Message


class Exporter:
    batch_size = 200

    async def pages(self, db: AsyncSession):
        skip = 0
        while True:
            stmt = select(Message).order_by(Message.created_at).offset(skip).limit(self.batch_size)
            rows = (await db.execute(stmt)).scalars().all()
            if not rows:
                break
            yield rows
            skip += len(rows)
