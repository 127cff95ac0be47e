from functools import cached_property

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bank.models import Posting


class Statement:
    def __init__(self, session: Session, account: str) -> None:
        self.session = session
        self.account = account

    @cached_property
    def balance(self) -> int:
        return self.session.scalar(
            select(func.sum(Posting.cents)).where(Posting.account == self.account)
        )
