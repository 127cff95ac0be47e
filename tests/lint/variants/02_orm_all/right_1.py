from sqlalchemy.orm import Session

from app.models import Event


def recent_events(session: Session):
    events = session.query(Event).order_by(Event.id.desc()).limit(20).all()
    return [e.as_dict() for e in events]
