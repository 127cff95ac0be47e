import aiohttp
import requests
from sqlalchemy.orm import Session, sessionmaker

from .tables import Thing, engine


def one(urls):
    for url in urls:
        session = requests.Session()  # FW501
        print(session.get(url).status_code)


def two(rows):
    for row in rows:
        with Session(engine) as session:  # FW501
            session.add(Thing(**row))
            session.commit()


async def three(urls):
    for url in urls:
        async with aiohttp.ClientSession() as session:  # FW501
            await session.get(url)


def four(rows):
    for row in rows:
        maker = sessionmaker(engine)  # FW501
        with maker() as session:
            session.merge(row)


def five(urls):
    return [requests.Session().get(url) for url in urls]  # FW501
