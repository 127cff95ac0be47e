from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grid.models import MeterReading
from grid.validate import check


def validate_readings(session: Session, page_size: int = 2000) -> list[int]:
    total = session.scalar(select(func.count()).select_from(MeterReading))
    bad = 0
    for first in range(0, total, page_size):
        stmt = select(MeterReading).order_by(MeterReading.id).offset(first).limit(page_size)
        for reading in session.scalars(stmt):
            if not check(reading):
                bad += 1
        session.expunge_all()
    return bad
