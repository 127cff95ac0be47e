from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, sessionmaker

from .tables import Customer, engine

Maker = sessionmaker(engine)


def one(session: Session):
    for customer in session.query(Customer).all():  # FW101
        print(customer)


def two():
    with Maker() as session:
        customers = session.query(Customer).order_by(Customer.id).all()  # FW101
        for customer in customers:
            print(customer)


def three():
    with Session(engine) as session:
        return [each.name for each in session.scalars(select(Customer)).all()]  # FW101


async def four(session: AsyncSession):
    result = await session.execute(select(Customer))
    for customer in result.scalars().all():  # FW101
        print(customer)


class Service:
    def __init__(self, session: Session):
        self.session = session

    def five(self):
        query = self.session.query(Customer)
        for customer in query.all():  # FW101
            print(customer)
