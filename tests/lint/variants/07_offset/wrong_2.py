from sqlalchemy.orm import Session

from models import Reading

PAGE = 500


def process_readings(session: Session, fn):
    page = 0
    while True:
        batch = session.query(Reading).order_by(Reading.id).limit(PAGE).offset(page * PAGE).all()
        if not batch:
            break
        for reading in batch:
            fn(reading)
        page += 1
