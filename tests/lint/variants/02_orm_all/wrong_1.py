from sqlalchemy.orm import Session

from app.models import Event


def anonymise_events(session: Session) -> None:
    for event in session.query(Event).all():
        event.ip_address = None
        event.user_agent = None
    session.commit()
