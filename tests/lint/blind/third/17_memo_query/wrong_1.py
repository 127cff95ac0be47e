from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.models import Donor


class MatchingService:
    def __init__(self, session: Session) -> None:
        self.session = session

    @cached_property
    def donors(self) -> list[Donor]:
        return self.session.scalars(select(Donor)).all()

    def candidates(self, blood_group: str, hla: set[str]):
        for donor in self.donors:
            if donor.blood_group == blood_group and hla & set(donor.hla):
                yield donor
