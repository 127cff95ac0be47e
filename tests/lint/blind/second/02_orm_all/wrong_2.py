from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from telemetry.models import Sample
from telemetry.rollup import to_bucket

engine = create_engine("postgresql://telemetry@db/telemetry")
SessionLocal = sessionmaker(bind=engine)


def rebuild_buckets(device: str) -> None:
    session: Session = SessionLocal()
    try:
        samples = session.query(Sample).filter(Sample.device == device).all()
        for sample in samples:
            sample.bucket = to_bucket(sample.recorded_at)
        session.commit()
    finally:
        session.close()
