from app.db import SessionLocal
from app.models import Setting

_MAX = None


def max_upload():
    global _MAX
    if _MAX is None:
        with SessionLocal() as db:
            _MAX = db.query(Setting.value).filter(Setting.key == "max_upload").scalar()
    return _MAX
