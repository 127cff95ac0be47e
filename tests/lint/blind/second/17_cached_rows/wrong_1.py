from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from genetics.models import Gene


class GeneCatalogue:
    def __init__(self, session: Session):
        self.session = session

    @cached_property
    def genes(self):
        return self.session.scalars(select(Gene)).all()

    def on_chromosome(self, name: str):
        return [g for g in self.genes if g.chromosome == name]
