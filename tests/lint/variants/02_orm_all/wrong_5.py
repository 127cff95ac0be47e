from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from warehouse.db import engine
from warehouse.models import StockMovement

SessionLocal = sessionmaker(bind=engine)


def replay_movements(handler):
    with SessionLocal() as db:
        movements = db.execute(select(StockMovement).order_by(StockMovement.id)).scalars().all()
        for m in movements:
            handler.apply(m)
