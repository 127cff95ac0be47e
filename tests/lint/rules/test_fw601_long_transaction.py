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
    "something else": "def f(lock, urls):\n    with lock:\n        for url in urls: requests.get(url)",
}

FOUND = {
    "of Django": (
        "def f():\n    with transaction.atomic():\n        for order in Order.objects.all():\n            requests.post('http://x', json=order)",
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
