import requests
import sqlite3
import time

from django.db import transaction
from shop.models import Order
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

engine = create_engine("sqlite://")


def one():
    with transaction.atomic():
        for order in Order.objects.all().iterator():
            requests.post("https://example.com/orders", json={"id": order.pk})  # FW601


def two(session: Session):
    with session.begin():
        for order in session.scalars(select(Order)).yield_per(100):
            order.price = requests.get(f"https://example.com/{order.id}").json()  # FW601


def three(path, client):
    connection = sqlite3.connect(path)
    with connection:
        for row in connection.execute("SELECT * FROM jobs"):
            time.sleep(1)  # FW601
            connection.execute("UPDATE jobs SET done = 1 WHERE id = ?", (row[0],))


@transaction.atomic
def four():
    for order in Order.objects.iterator():
        requests.post("https://example.com/", json={"id": order.pk})  # FW601


def five():
    with engine.begin() as connection:
        for row in connection.execute(text("SELECT * FROM mails")):
            requests.post("https://example.com/mail", data=row.body)  # FW601
