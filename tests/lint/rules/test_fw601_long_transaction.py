"""Transactions around slow work."""

from __future__ import annotations

import pytest

HEAD = """
import requests
import sqlite3
from django.db import models, transaction
from sqlalchemy.orm import Session

class Order(models.Model):
    pass
"""

NOTHING = {
    "only writes": "def f():\n    with transaction.atomic():\n        for order in Order.objects.all(): order.save()",
    "asked before": "def f(urls):\n    found = [requests.get(url) for url in urls]\n    with transaction.atomic():\n        for each in found: Order.objects.create()",
    "a turn for others": "import asyncio\nasync def f():\n    with transaction.atomic():\n        for order in Order.objects.all(): await asyncio.sleep(0)",
    "once": "def f(url):\n    with transaction.atomic():\n        requests.get(url)",
    "made for a service, and not asked": "import stripe\ndef f(keys):\n    with transaction.atomic():\n        for order in Order.objects.all(): order.client = stripe.StripeClient(order.key)",
    "named at a service": "from google.cloud import storage\nclient = storage.Client()\ndef f():\n    with transaction.atomic():\n        for order in Order.objects.all(): order.blob = client.bucket('a').blob(order.name)",
    "told when it is done": "import stripe\ndef f(order):\n    with transaction.atomic():\n        for each in order: transaction.on_commit(lambda each=each: stripe.Charge.create(amount=each))",
    "somebody's own client": "from mine import Client\nclient = Client()\ndef f():\n    with transaction.atomic():\n        for order in Order.objects.all(): client.charge(order)",
    "something else": "def f(lock, urls):\n    with lock:\n        for url in urls: requests.get(url)",
}

FOUND = {
    "of Django": (
        "def f():\n    with transaction.atomic():\n        for order in Order.objects.all():\n            requests.post('http://x', json=order)",
        "sure",
    ),
    "a service by its library": (
        "import stripe\ndef f():\n    with transaction.atomic():\n        for each in Order.objects.iterator(): stripe.Charge.create(amount=each.cents)",
        "sure",
    ),
    "a client of a service": (
        "from openai import OpenAI\nclient = OpenAI()\ndef f():\n    with transaction.atomic():\n        for each in Order.objects.iterator(): client.chat.completions.create(messages=each.text)",
        "sure",
    ),
    "a client that an object has": (
        "from twilio.rest import Client\nclass A:\n    def __init__(self): self.client = Client()\n    def f(self):\n        with transaction.atomic():\n            for each in Order.objects.iterator(): self.client.messages.create(to=each.phone)",
        "sure",
    ),
    "a client that is handed in": (
        "from slack_sdk import WebClient\ndef f(slack: WebClient):\n    with transaction.atomic():\n        for each in Order.objects.iterator(): slack.chat_postMessage(text=each.text)",
        "sure",
    ),
    "mails": (
        "import smtplib\ndef f(host):\n    with transaction.atomic(), smtplib.SMTP(host) as smtp:\n        for each in Order.objects.iterator(): smtp.send_message(each.mail)",
        "sure",
    ),
    "what is uploaded": (
        "from google.cloud import storage\ndef f():\n    bucket = storage.Client().bucket('a')\n    with transaction.atomic():\n        for each in Order.objects.iterator(): bucket.blob(each.name).upload_from_string(each.text)",
        "sure",
    ),
    "a decorator": (
        "@transaction.atomic\ndef f():\n    for order in Order.objects.all():\n        requests.post('http://x', json=order)",
        "sure",
    ),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW601", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW601", HEAD + text)] == [confidence]
