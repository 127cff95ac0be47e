"""Reads 1,000 narrow rows and then 60 of 1 MB in every way SQLAlchemy has, and says how far each peak rose.

python wide_program.py URL [ASYNC_URL]
"""

import asyncio
import json
import sys

import sqlalchemy as sa
from sqlalchemy.dialects.mysql import LONGTEXT
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import flatwater as fw
from flatwater.source.tables.table import Table


class Base(DeclarativeBase):
    pass


class Wide(Base):
    __tablename__ = "wide_rows"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(sa.Text().with_variant(LONGTEXT(), "mysql", "mariadb"))


def fill(engine):
    Base.metadata.create_all(engine)
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
    wide = "replace(hex(zeroblob(500000)), '0', 'w')" if engine.dialect.name == "sqlite" else "repeat('w', 1000000)"
    with engine.begin() as connection:
        for count, first, text in ((1000, 0, "'narrow'"), (60, 1000, wide)):
            insert = f"SELECT i + {first}, {text} FROM n"
            words = numbers.format(count)
            whole = (
                f"INSERT INTO wide_rows {words}{insert}"
                if engine.dialect.name != "sqlite"
                else f"{words}INSERT INTO wide_rows {insert}"
            )
            connection.exec_driver_sql(whole)


def peak(rows):
    with fw.measure("rows") as reading:
        count = sum(1 for _ in rows)
    return {"rows": count, "peak": reading.delta}


async def async_peak(rows):
    with fw.measure("rows") as reading:
        count = 0
        async for _ in rows:
            count += 1
    return {"rows": count, "peak": reading.delta}


async def in_async(url):
    engine = create_async_engine(url)
    yield "async", await async_peak(Table(engine, Wide).find_each())
    yield "async orm", await async_peak(Table(engine, Wide).find_each(as_="orm"))
    await engine.dispose()


async def main():
    engine = sa.create_engine(sys.argv[1])
    fill(engine)
    told = {"orm": peak(Table(engine, Wide).find_each(as_="orm"))}
    told["columns"] = peak(Table(engine, Wide).find_each())
    told["text"] = peak(Table(engine, "wide_rows").find_each())
    with Session(engine) as session:
        session.execute(sa.select(1))
        told["session"] = peak(Table(session, Wide).find_each(as_="orm"))
        told["transaction"] = {"goes on": session.execute(sa.select(1)).scalar_one()}
    if len(sys.argv) > 2:
        told |= {name: reading async for name, reading in in_async(sys.argv[2])}
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main())
