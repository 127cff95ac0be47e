"""Clients that are made again and again."""

from __future__ import annotations

import pytest

HEAD = """
import boto3
import requests
from sqlalchemy import create_engine
"""

NOTHING = {
    "a session for one call": "import aiohttp\nasync def f(zone):\n    async with aiohttp.ClientSession() as session: return await session.get(zone)\nasync def g(): await f('a')",
    "a producer that a function gives back": "from kafka import KafkaProducer\nfrom django.http import HttpRequest\ndef producer(request):\n    return KafkaProducer(bootstrap_servers='a')",
    "a check": "def database_exists(url):\n    engine = create_engine(url)\n    engine.execute('SELECT 1')",
    "what only inspects": "def f(url):\n    engine = create_engine(url)\n    return engine.dialect.name",
    "workers of a round": "from concurrent.futures import ThreadPoolExecutor\ndef f(groups, work):\n    for group in groups:\n        with ThreadPoolExecutor() as pool: list(pool.map(work, group))",
    "at import": "session = requests.Session()",
    "once, and kept": "class A:\n    def __init__(self): self.session = requests.Session()",
    "an engine that is handed on": "def make(url):\n    return create_engine(url)\ndef use(url): make(url).connect()",
    "a session of an engine, made once": "from sqlalchemy.orm import Session\ndef make(url):\n    engine = create_engine(url)\n    return Session(engine)\nsession = make('sqlite://')",
    "a session of an engine that is kept": "from functools import lru_cache\nfrom sqlalchemy.orm import Session\n@lru_cache\ndef make():\n    engine = create_engine('sqlite://')\n    return Session(engine)\ndef save(x): make().add(x)",
    "a maker of sessions": "from sqlalchemy.orm import sessionmaker\ndef make(url):\n    engine = create_engine(url)\n    return sessionmaker(bind=engine)\ndef use(url): make(url)()",
    "handed on": "def make():\n    return requests.Session()",
    "a few that are written down": "for name in ('a', 'b'): print(requests.Session())",
    "another one in each round": "def f(urls):\n    for url in urls: print(create_engine(url).connect())",
    "somebody's session": "from mine import Session\ndef f(rows):\n    for row in rows: Session().get(row)",
}

FOUND = {
    "a session in what a loop calls": (
        "import aiohttp\nasync def f(zone):\n    async with aiohttp.ClientSession() as session:\n        async with session.get(zone) as answer: print(answer)\nasync def g(zones):\n    for zone in zones: await f(zone)",
        "likely",
    ),
    "a producer in a view": (
        "from django.http import HttpResponse\nfrom kafka import KafkaProducer\ndef click(request, banner):\n    producer = KafkaProducer(bootstrap_servers='a')\n    producer.send('clicks', banner)\n    return HttpResponse('')",
        "likely",
    ),
    "a session in a task": (
        "import requests\nfrom celery import shared_task\n@shared_task\ndef push(url):\n    session = requests.Session()\n    session.post(url)",
        "likely",
    ),
    "an engine for each session": (
        "from sqlalchemy.orm import sessionmaker\ndef make():\n    engine = create_engine('sqlite://')\n    return sessionmaker(bind=engine)()\ndef save(x):\n    with make() as s: s.add(x)",
        "likely",
    ),
    "an engine in a loop": ("def f(rows):\n    for row in rows: create_engine('sqlite://').connect()", "sure"),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW501", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW501", HEAD + text)] == [confidence]
