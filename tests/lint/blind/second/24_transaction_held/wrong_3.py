import time

from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from shop.carriers import CarrierClient
from shop.models import Parcel

engine = create_engine("postgresql+psycopg2://shop@db/shop")


def refresh_tracking(carrier: CarrierClient) -> None:
    with Session(engine) as session, session.begin():
        stmt = select(Parcel).where(Parcel.delivered.is_(False)).execution_options(yield_per=100)
        for parcel in session.scalars(stmt):
            parcel.status = carrier.track(parcel.tracking_no)
            time.sleep(0.5)
