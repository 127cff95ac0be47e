"""Caches that keep the objects of their methods."""

from __future__ import annotations

import pytest

HEAD = """
import enum
import functools
from dataclasses import dataclass
"""

NOTHING = {
    "an object for a run": "class A:\n    @functools.cache\n    def f(self): return 1\ndef g(path):\n    return A(path).f()",
    "said once": "import functools\nclass Log:\n    @functools.lru_cache(None)\n    def warning_once(self, message): print(message)",
    "of a function": "@functools.cache\ndef f(user_id): return user_id",
    "a property of the object": "class A:\n    @functools.cached_property\n    def rows(self): return []",
    "a static method": "class A:\n    @staticmethod\n    @functools.cache\n    def f(user_id): return user_id",
    "of the class": "class A:\n    @classmethod\n    @functools.cache\n    def f(cls, user_id): return user_id",
    "an enum": "class A(enum.Enum):\n    ONE = 1\n    @functools.cache\n    def f(self, user_id): return user_id",
    "somebody's cache": "def cache(f): return f\nclass A:\n    @cache\n    def f(self, user_id): return user_id",
    "a few of their own data": "class Text:\n    def __init__(self, text): self.text = text\n    @functools.lru_cache(maxsize=8)\n    def words(self): return self.text.split()",
    "one service": "class Service:\n    def __init__(self, db): self.db = db\n    @functools.cache\n    def tables(self): return self.db.tables()",
    "a small class, with a bound": "class A:\n    def __init__(self, name): self.name = name\n    @functools.lru_cache(maxsize=1024)\n    def f(self, n): return self.name * n",
    "a few connections": "import psycopg\nclass Prices:\n    def __init__(self, dsn): self.conn = psycopg.connect(dsn)\n    @functools.lru_cache(maxsize=4)\n    def price(self, sku): return self.conn.execute('SELECT 1', (sku,)).fetchone()",
    "one connection at import": "import psycopg\nclass Prices:\n    def __init__(self): self.conn = psycopg.connect('')\n    @functools.lru_cache(maxsize=1024)\n    def price(self, sku): return self.conn.execute('SELECT 1', (sku,)).fetchone()\nPRICES = Prices()",
    "one of a few palettes": "class Palette:\n    def __init__(self, colors: list[tuple[int, int, int]]): self.colors = colors\n    @functools.lru_cache(maxsize=1024)\n    def match(self, color): return min(self.colors)",
    "settings": "class A:\n    def __init__(self, names: list[str], options: dict[str, int]): self.names, self.options = names, options\n    @functools.lru_cache\n    def f(self, n): return self.names[n]",
    "one client with its session": "import requests\nclass ApiClient:\n    def __init__(self): self.session = requests.Session()\n    @functools.lru_cache(maxsize=512)\n    def f(self, n): return self.session.get(n)",
    "a key without the object": "from cachetools import LRUCache, cached\nfrom cachetools.keys import methodkey\nfrom git import Repo\nclass A:\n    def __init__(self, path): self.repo = Repo(path)\n    @cached(LRUCache(maxsize=512), key=methodkey)\n    def f(self, name): return self.repo.blame('HEAD', name)",
    "a cache of the object": "from cachetools import LRUCache, cachedmethod\nfrom git import Repo\nclass A:\n    def __init__(self, path): self.repo, self.cache = Repo(path), LRUCache(512)\n    @cachedmethod(lambda self: self.cache)\n    def f(self, name): return self.repo.blame('HEAD', name)",
    "for a time": "from cachetools import TTLCache, cached\nfrom git import Repo\nclass A:\n    def __init__(self, path): self.repo = Repo(path)\n    @cached(TTLCache(512, 60))\n    def f(self, name): return self.repo.blame('HEAD', name)",
    "no cache": "from cachetools import cached\nfrom git import Repo\nclass A:\n    def __init__(self, path): self.repo = Repo(path)\n    @cached(None)\n    def f(self, name): return self.repo.blame('HEAD', name)",
    "images of machines": "class A:\n    @functools.cache\n    def get_image_tag(self, image_uri): return image_uri",
    "one object at import": "class A:\n    @functools.cache\n    def f(self, user_id): return user_id\nONE = A()",
}

FOUND = {
    "of a row": (
        "import functools\nfrom django.db import models\nclass Ward(models.Model):\n    @functools.lru_cache(maxsize=128)\n    def beds(self, day): return day",
        "likely",
    ),
    "of objects that are made of something": (
        "import functools\nclass Planner:\n    def __init__(self, router): self.router = router\n    @functools.cache\n    def distance(self, a, b): return self.router.way(a, b)",
        "likely",
    ),
    "objects made again and again": (
        "class A:\n    @functools.cache\n    def f(self): return 1\ndef g(paths):\n    for path in paths: print(A(path).f())",
        "sure",
    ),
    "asked with what users bring": (
        "class Resolver:\n    def __init__(self, reader): self.reader = reader\n    @functools.cache\n    def country(self, ip): return self.reader[ip]",
        "likely",
    ),
    "objects with data of their own": (
        "class Report:\n    def __init__(self, rows): self.rows = rows\n    @functools.lru_cache\n    def totals(self): return sum(self.rows)",
        "likely",
    ),
    "a connection of its own, with a bound": (
        "import psycopg\nclass PriceService:\n    def __init__(self, dsn): self.conn = psycopg.connect(dsn)\n    @functools.lru_cache(maxsize=1024)\n    def price(self, sku): return self.conn.execute('SELECT 1', (sku,)).fetchone()",
        "likely",
    ),
    "a session that it is given": (
        "from sqlalchemy.orm import Session\nclass Users:\n    def __init__(self, session: Session) -> None: self.session = session\n    @functools.lru_cache(maxsize=1024)\n    def name(self, key): return self.session.get(User, key)",
        "likely",
    ),
    "a list of points": (
        "class Parcel:\n    def __init__(self, outline: list[tuple[float, float]]): self.outline = outline\n    @functools.lru_cache\n    def shape(self): return Polygon(self.outline)",
        "likely",
    ),
    "a property of one with an array": (
        "import numpy as np\nclass Spectrum:\n    def __init__(self, counts: np.ndarray): self.counts = counts\n    @property\n    @functools.lru_cache(maxsize=None)\n    def peak(self): return self.counts.max()",
        "likely",
    ),
    "a record with a frame": (
        "import pandas as pd\n@dataclass(eq=False)\nclass Day:\n    trades: pd.DataFrame\n    @functools.lru_cache\n    def mean(self): return self.trades.mean()",
        "likely",
    ),
    "a cache of cachetools": (
        "from cachetools import LRUCache, cached\nfrom git import Repo\nclass History:\n    def __init__(self, path): self.repo = Repo(path)\n    @cached(LRUCache(maxsize=512))\n    def blame(self, name): return self.repo.blame('HEAD', name)",
        "likely",
    ),
    "a dict of cachetools": (
        "from cachetools import cached\nfrom git import Repo\nclass History:\n    def __init__(self, path): self.repo = Repo(path)\n    @cached(cache={})\n    def blame(self, name): return self.repo.blame('HEAD', name)",
        "likely",
    ),
    "by a name of the module": (
        "memo = functools.lru_cache(maxsize=4096)\nclass Call:\n    def __init__(self, payload): self.payload = payload\n    @memo\n    def size(self): return len(self.payload)",
        "likely",
    ),
    "of a dataclass": (
        "@dataclass(frozen=True)\nclass A:\n    a: int\n    @functools.cache\n    def f(self): return 1",
        "sure",
    ),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW301", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW301", HEAD + text)] == [confidence]


def test_a_bound_keeps_some(said):
    """It is a doubt, which is not told by default."""
    text = HEAD + "class A:\n    @functools.lru_cache(maxsize=8)\n    def f(self, user_id): return user_id"
    assert said("FW301", text) == []
    assert [how for _line, how in said("FW301", text, "maybe")] == ["maybe"]
