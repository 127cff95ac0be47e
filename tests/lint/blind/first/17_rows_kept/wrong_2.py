from sqlalchemy import select
from sqlalchemy.orm import Session

from bank.models import Posting


class Statement:
    def __init__(self, session: Session, account: str) -> None:
        self.session = session
        self.account = account
        self._postings = None

    @property
    def postings(self):
        self._postings = self._postings or self.session.scalars(
            select(Posting).where(Posting.account == self.account)
        ).all()
        return self._postings

    def balance(self) -> int:
        return sum(p.cents for p in self.postings)
