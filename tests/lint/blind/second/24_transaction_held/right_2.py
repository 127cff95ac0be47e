from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from shop.models import Account, Entry

engine = create_engine("postgresql+psycopg2://bank@db/bank")


def transfer(source_id: int, target_id: int, amount: int, notify) -> None:
    with Session(engine) as session, session.begin():
        stmt = select(Account).where(Account.id.in_([source_id, target_id])).with_for_update()
        for account in session.scalars(stmt):
            delta = amount if account.id == target_id else -amount
            account.balance += delta
            session.add(Entry(account_id=account.id, amount=delta))
    notify(source_id, target_id, amount)
