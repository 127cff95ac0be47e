from functools import cached_property

from sqlalchemy import select

from .models import AuditEntry


class AuditView:
    def __init__(self, db):
        self.db = db

    @cached_property
    def entries(self):
        return self.db.scalars(select(AuditEntry).order_by(AuditEntry.created_at)).all()

    def by_user(self, user_id):
        return [e for e in self.entries if e.user_id == user_id]
