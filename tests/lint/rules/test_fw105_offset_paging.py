"""Pages with an offset that grows."""

from __future__ import annotations

import pytest

HEAD = """
import sqlite3
from django.db import models
from sqlalchemy import select
from sqlalchemy.orm import Session

class Order(models.Model):
    pass
"""

NOTHING = {
    "steps by key": "def f(c: sqlite3.Connection, n):\n    last = 0\n    while last is not None: last = c.execute('SELECT id FROM t WHERE id > ? LIMIT 1 OFFSET ?', [last, n]).fetchone()",
    "pages of a list": "from django.core.paginator import Paginator\ndef f(names: list):\n    pages = Paginator(names, 10)\n    for n in pages.page_range: print(pages.page(n))",
    "a page that was asked for": "from django.core.paginator import Paginator\ndef f(n):\n    return Paginator(Order.objects.all(), 10).page(n)",
    "a limit with a fixed offset": "def f(c: sqlite3.Connection, n):\n    while n: n = c.execute('SELECT id FROM t LIMIT 0, 10').fetchone()",
    "one page": "def f(s: Session, page):\n    return s.scalars(select(Order).offset(page * 10).limit(10)).all()",
    "by key": "def f(c: sqlite3.Connection):\n    last = 0\n    while rows := c.execute('SELECT id FROM t WHERE id > ? ORDER BY id LIMIT 100', [last]).fetchall(): last = rows[-1][0]",
    "a slice that stands": "def f():\n    for order in Order.objects.all()[10:20]: print(order)",
    "an offset of something else": "def f(s, n):\n    while n:\n        n = s.offset(n)",
    "a fixed offset": "def f(c: sqlite3.Connection):\n    for n in range(3): c.execute('SELECT 1 LIMIT 10 OFFSET 5')",
}

FOUND = {
    "pages of Django": (
        "from django.core.paginator import Paginator\nfrom shop.models import Order\ndef f():\n    pages = Paginator(Order.objects.order_by('id'), 1000)\n    for n in pages.page_range: print(pages.page(n).object_list)",
        "likely",
    ),
    "of SQLAlchemy": (
        "def f(s: Session):\n    n = 0\n    while True:\n        rows = s.scalars(select(Order).offset(n).limit(10)).all()\n        n += 10",
        "sure",
    ),
    "in SQL": (
        "def f(c: sqlite3.Connection):\n    for n in range(0, 10**6, 1000):\n        c.execute('SELECT * FROM t LIMIT 1000 OFFSET ?', (n,)).fetchall()",
        "sure",
    ),
    "pages of a queryset": (
        "from django.core.paginator import Paginator\ndef f():\n    pages = Paginator(Order.objects.order_by('id'), 100)\n    for n in pages.page_range: print(pages.page(n))",
        "likely",
    ),
    "as MySQL writes it": (
        "def f(c: sqlite3.Connection):\n    n = 0\n    while True:\n        c.execute('SELECT * FROM t LIMIT ?, 100', (n,)).fetchall()\n        n += 100",
        "sure",
    ),
    "slices of a queryset": (
        "def f():\n    for n in range(0, Order.objects.count(), 100):\n        for order in Order.objects.all()[n:n + 100]: print(order)",
        "sure",
    ),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW105", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW105", HEAD + text)] == [confidence]
