from app.db import SessionLocal
from app.models import Article

_ARTICLES = None


def articles():
    global _ARTICLES
    if _ARTICLES is None:
        with SessionLocal() as db:
            _ARTICLES = db.query(Article).order_by(Article.id).all()
    return _ARTICLES
