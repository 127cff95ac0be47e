from functools import cached_property

from django.db import models
from sqlalchemy import select
from sqlalchemy.orm import Session


class Order(models.Model):
    pass


class One:
    @cached_property
    def orders(self):
        return list(Order.objects.all())  # FW303


class Two:
    _orders = None

    def __init__(self, session: Session):
        self.session = session

    def orders(self):
        self._orders = self._orders or self.session.query(Order).all()  # FW303
        return self._orders


class Three:
    def __init__(self, session: Session):
        self.session = session
        self._rows = None

    def rows(self):
        if self._rows is None:
            self._rows = self.session.scalars(select(Order)).all()  # FW303
        return self._rows


ORDERS = list(Order.objects.all())  # FW303

_cached = None


def five(cursor):
    global _cached
    if _cached is None:
        cursor.execute("SELECT * FROM orders")
        _cached = cursor.fetchall()  # FW303
    return _cached
