from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from telemetry.models import Sample
from telemetry.calibration import corrected

engine = create_engine("postgresql:///telemetry")
SessionLocal = sessionmaker(bind=engine)


def recalibrate(sensor_kind: str) -> int:
    changed = 0
    session: Session = SessionLocal()
    try:
        samples = session.query(Sample).filter(Sample.kind == sensor_kind).all()
        for sample in samples:
            value = corrected(sample.raw)
            if value != sample.value:
                sample.value = value
                changed += 1
        session.commit()
    finally:
        session.close()
    return changed
