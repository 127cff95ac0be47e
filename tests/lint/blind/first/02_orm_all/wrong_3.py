import asyncio
from collections import Counter

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Variant(Base):
    __tablename__ = "variants"

    id: Mapped[int] = mapped_column(primary_key=True)
    chrom: Mapped[str]
    pos: Mapped[int]
    impact: Mapped[str]


async def impact_histogram(db: AsyncSession) -> Counter:
    histogram = Counter()
    for variant in (await db.scalars(select(Variant))).all():
        histogram[variant.chrom, variant.impact] += 1
    return histogram


async def main(url: str) -> None:
    maker = async_sessionmaker(create_async_engine(url))
    async with maker() as db:
        print(await impact_histogram(db))


if __name__ == "__main__":
    asyncio.run(main("postgresql+asyncpg:///genome"))
