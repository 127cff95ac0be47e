import json
from pathlib import Path

from sqlmodel import Field, Session, SQLModel, create_engine, select


class Transaction(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    account: str
    amount_cents: int
    booked_on: str


engine = create_engine("sqlite:///ledger.db")


def dump_ledger(target: Path) -> None:
    with Session(engine) as session, target.open("w") as out:
        transactions = session.exec(select(Transaction)).all()
        for tx in transactions:
            out.write(json.dumps(tx.model_dump()) + "\n")
