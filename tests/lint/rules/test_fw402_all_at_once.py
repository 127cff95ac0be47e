"""Tasks for everything at once."""

from __future__ import annotations

import pytest

HEAD = """
import asyncio
from concurrent.futures import ThreadPoolExecutor
"""

NOTHING = {
    "what is there already, one by one": "def f(paths, work):\n    with ThreadPoolExecutor() as pool: return list(pool.map(work, (each for each in paths)))",
    "its own steps": "import asyncio\ndef steps():\n    yield 1\nasync def f(work):\n    for each in steps(): asyncio.ensure_future(work(each))",
    "a few that are written down": "async def f(a, b):\n    await asyncio.gather(a(), b())",
    "what is there already": "async def f(urls, get):\n    return await asyncio.gather(*[get(url) for url in urls])",
    "a place first": "async def f(source, work, places):\n    async for item in source:\n        await places.acquire()\n        asyncio.create_task(work(item))",
    "one at a time": "async def f(path, work):\n    with open(path) as file:\n        for line in file: await asyncio.create_task(work(line))",
    "a batch": "from itertools import batched\nasync def f(rows, get):\n    for part in batched(rows, 50): await asyncio.gather(*[get(row) for row in part])",
    "a slice": "async def f(rows, get, n):\n    part = rows[:n]\n    jobs = [get(row) for row in part]\n    await asyncio.gather(*jobs)",
    "rows that are counted": "async def f(rows, get):\n    if len(rows) > 9: return\n    await asyncio.gather(*[get(row) for row in rows])",
    "a list of a few jobs": "async def f(a, b):\n    jobs = []\n    for each in ('a', 'b'): jobs.append(a(each))\n    await asyncio.gather(*jobs)",
    "its own steps, in threads": "def steps():\n    for each in (1, 2): yield each\ndef f(work):\n    with ThreadPoolExecutor() as pool: return list(pool.map(work, steps()))",
    "a few rows": "import asyncpg\nasync def f(pool: asyncpg.Pool, send):\n    rows = await pool.fetch('SELECT email FROM invoices LIMIT 50')\n    await asyncio.gather(*(send(row) for row in rows))",
    "rows by a key": "import asyncpg\nasync def f(pool: asyncpg.Pool, send, user):\n    rows = await pool.fetch('SELECT email FROM invoices WHERE user_id = $1', user)\n    await asyncio.gather(*(send(row) for row in rows))",
    "rows without a parent": "import asyncpg\nasync def f(pool: asyncpg.Pool, send):\n    rows = await pool.fetch('SELECT text FROM comments WHERE parent_id IS NULL')\n    await asyncio.gather(*(send(row) for row in rows))",
    "open rows of one": "import asyncpg\nasync def f(pool: asyncpg.Pool, send, user):\n    rows = await pool.fetch('SELECT email FROM invoices WHERE paid_at IS NULL AND user_id = $1', user)\n    await asyncio.gather(*(send(row) for row in rows))",
    "open rows, a few": "import asyncpg\nasync def f(pool: asyncpg.Pool, send):\n    rows = await pool.fetch('SELECT email FROM invoices WHERE paid_at IS NULL ORDER BY due LIMIT 50')\n    await asyncio.gather(*(send(row) for row in rows))",
    "rows of a short table": "import asyncpg\nasync def f(pool: asyncpg.Pool, send):\n    rows = await pool.fetch('SELECT url FROM shops')\n    await asyncio.gather(*(send(row) for row in rows))",
    "rows with a semaphore": "import asyncio, asyncpg\nasync def f(pool: asyncpg.Pool, send):\n    rows = await pool.fetch('SELECT email FROM invoices')\n    places = asyncio.Semaphore(9)\n    await asyncio.gather(*(send(row, places) for row in rows))",
    "somebody's pool": "def f(pool, path, work):\n    with open(path) as file:\n        return [pool.submit(work, line) for line in file]",
}

FOUND = {
    "what is on each of many pages": (
        "import boto3\ndef f(name, work):\n    pages = boto3.client('s3').get_paginator('list_objects_v2').paginate(Bucket=name)\n    with ThreadPoolExecutor(8) as pool:\n        for page in pages:\n            for each in page.get('Contents', []): pool.submit(work, each)",
        "sure",
    ),
    "a nursery of trio": (
        "import csv\nimport trio\nasync def f(path, send):\n    async with trio.open_nursery() as nursery:\n        for row in csv.DictReader(open(path)): nursery.start_soon(send, row)",
        "sure",
    ),
    "objects of a bucket": (
        "import boto3\ndef f(name, work):\n    bucket = boto3.resource('s3').Bucket(name)\n    with ThreadPoolExecutor(8) as pool:\n        for each in bucket.objects.all(): pool.submit(work, each)",
        "sure",
    ),
    "messages of a consumer of its own": (
        "import kafka\nclass A:\n    def __init__(self):\n        self.consumer = kafka.KafkaConsumer('a')\n        self.pool = ThreadPoolExecutor()\n    def run(self, work):\n        for message in self.consumer: self.pool.submit(work, message)",
        "sure",
    ),
    "lines of a file": (
        "async def f(path, work):\n    with open(path) as file:\n        await asyncio.gather(*(work(line) for line in file))",
        "sure",
    ),
    "an asynchronous stream": (
        "async def f(source, work):\n    tasks = []\n    async for item in source: tasks.append(asyncio.create_task(work(item)))\n    await asyncio.wait(tasks)",
        "likely",
    ),
    "rows of the caller": (
        "async def f(rows, save):\n    await asyncio.gather(*[save(row) for row in rows])",
        "likely",
    ),
    "by a name": (
        "async def f(path, work):\n    with open(path) as file:\n        jobs = [work(line) for line in file]\n    await asyncio.gather(*jobs)",
        "sure",
    ),
    "put into a list": (
        "async def f(path, work):\n    jobs = []\n    with open(path) as file:\n        for line in file: jobs.append(work(line))\n    await asyncio.gather(*jobs)",
        "sure",
    ),
    "all rows of a query": (
        "import asyncpg\nasync def f(pool: asyncpg.Pool, send):\n    rows = await pool.fetch('SELECT email FROM invoices')\n    await asyncio.gather(*(send(row['email']) for row in rows))",
        "likely",
    ),
    "all rows to which something has not happened yet": (
        "import asyncpg\nasync def f(pool: asyncpg.Pool, send):\n    rows = await pool.fetch('SELECT email FROM invoices WHERE paid_at IS NULL ORDER BY due')\n    await asyncio.gather(*(send(row['email']) for row in rows))",
        "likely",
    ),
    "all rows of a session": (
        "from sqlalchemy import select\nfrom sqlalchemy.ext.asyncio import AsyncSession\nfrom app.models import Order\nasync def f(s: AsyncSession, send):\n    orders = (await s.scalars(select(Order))).all()\n    for order in orders: asyncio.create_task(send(order.id))",
        "likely",
    ),
    "a query's rows": (
        "def f(queryset, work):\n    with ThreadPoolExecutor() as pool: return [pool.submit(work, row) for row in queryset.iterator()]",
        "likely",
    ),
    "map over lines of its own": (
        "def lines(path):\n    with open(path) as file:\n        for line in file: yield line.strip()\ndef f(path, work):\n    with ThreadPoolExecutor() as pool: return list(pool.map(work, lines(path)))",
        "likely",
    ),
    "submit": (
        "def f(path, work):\n    with open(path) as file, ThreadPoolExecutor() as pool:\n        return [pool.submit(work, line) for line in file]",
        "sure",
    ),
    "map": (
        "def f(path, work):\n    with open(path) as file, ThreadPoolExecutor() as pool:\n        return list(pool.map(work, file))",
        "likely",
    ),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW402", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW402", HEAD + text)] == [confidence]


@pytest.mark.parametrize("name", ["a batch", "a slice"])
def test_parts_are_no_doubt(said, name):
    """What is bounded is not told with doubts either."""
    assert said("FW402", HEAD + NOTHING[name], "maybe") == []


def test_a_list_that_the_caller_gave(said):
    """It is a doubt, which is not told by default."""
    text = HEAD + "async def f(urls, get):\n    return await asyncio.gather(*[get(url) for url in urls])"
    assert said("FW402", text) == []
    assert [how for _line, how in said("FW402", text, "maybe")] == ["maybe"]
