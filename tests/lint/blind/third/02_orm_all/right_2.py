from sqlalchemy import select
from sqlalchemy.orm import Session

from media.models import Episode
from media.index import SearchIndex


def reindex(session: Session, index: SearchIndex) -> None:
    stmt = select(Episode).order_by(Episode.id).execution_options(yield_per=200)
    for episode in session.scalars(stmt):
        index.upsert(episode.id, episode.title, episode.summary)


def recent_titles(session: Session) -> list[str]:
    stmt = select(Episode.title).order_by(Episode.published_at.desc()).limit(10)
    return session.scalars(stmt).all()
