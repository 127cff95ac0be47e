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
    "somebody's pool": "def f(pool, path, work):\n    with open(path) as file:\n        return [pool.submit(work, line) for line in file]",
}

FOUND = {
    "lines of a file": (
        "async def f(path, work):\n    with open(path) as file:\n        await asyncio.gather(*(work(line) for line in file))",
        "sure",
    ),
    "an asynchronous stream": (
        "async def f(source, work):\n    tasks = []\n    async for item in source: tasks.append(asyncio.create_task(work(item)))\n    await asyncio.wait(tasks)",
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


def test_a_list_that_the_caller_gave(said):
    """It is a doubt, which is not told by default."""
    text = HEAD + "async def f(urls, get):\n    return await asyncio.gather(*[get(url) for url in urls])"
    assert said("FW402", text) == []
    assert [how for _line, how in said("FW402", text, "maybe")] == ["maybe"]
