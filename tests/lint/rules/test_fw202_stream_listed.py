"""Streams that are made a list."""

from __future__ import annotations

import pytest

HEAD = """
import csv
import glob
import os
import redis
"""

NOTHING = {
    "a column that becomes an array": "import numpy as np\ndef f(path):\n    return np.array([row[3] for row in csv.reader(open(path))])",
    "keys of one thing": "def f(name):\n    return redis.Redis().keys(f'{name}:*')",
    "entries that are removed": "import os\ndef f(path):\n    with os.scandir(path) as scan: found = list(scan)\n    for each in found: os.unlink(each.path)",
    "names that are counted before they are gone over": "from pathlib import Path\ndef f(root: Path, bar):\n    found = list(root.rglob('*.jpg'))\n    bar(len(found))\n    for each in found: print(each)",
    "objects below a prefix": "import boto3\ndef f(name, prefix):\n    return list(boto3.resource('s3').Bucket(name).objects.filter(Prefix=prefix))",
    "as many as are asked for": "import boto3\ndef f(name):\n    pages = boto3.client('s3').get_paginator('list_objects_v2').paginate(Bucket=name, PaginationConfig={'MaxItems': 50})\n    return list(pages)",
    "lines that nobody knows": "import csv\ndef f(lines):\n    return {len(row) for row in csv.reader(lines)}",
    "a pattern of one folder": "import glob\ndef f(folder):\n    for path in glob.glob(f'{folder}/*', recursive=True): print(path)",
    "the head of a document": "from xml.etree import ElementTree\ndef f(path):\n    return dict([node for _, node in ElementTree.iterparse(path, events=['start-ns'])])",
    "the stream itself": "def f():\n    for key in redis.Redis().scan_iter('a:*'): print(key)",
    "a list of a list": "def f(names):\n    return list(names)",
    "the author's folder": "for folder in list(os.walk(os.path.dirname(__file__))): print(folder)",
    "one name in a tree": "import pathlib\ndef f(folder: pathlib.Path, name):\n    for path in sorted(folder.rglob(name)): print(path)",
    "rows of a text": "import csv, io\ndef f(text):\n    with io.StringIO(text) as file:\n        return [row for row in csv.reader(file)]",
    "names of a tree by a pattern": "import glob\ndef f(folder):\n    for path in glob.glob(f'{folder}/**', recursive=True): print(path)",
    "names in order": "def f(path):\n    return sorted(os.scandir(path), key=str)",
    "names of one kind in order": "import pathlib\ndef f(folder: pathlib.Path):\n    for path in sorted(folder.rglob('*.py')): print(path)",
    "some names of Redis": "def f():\n    for key in redis.Redis().scan_iter('a:*'): print(key)",
    "keys of a dict": "def f(found):\n    return found.keys()",
    "a generator of one's own": "def parts(names):\n    for name in names: yield name.upper()\ndef f(names):\n    return list(parts(names))",
    "a comprehension with a condition": "def f(path):\n    return [e.name for e in os.scandir(path) if e.is_dir()]",
}

FOUND = {
    "all pages": (
        "import boto3\ndef f(name):\n    pages = boto3.client('s3').get_paginator('list_objects_v2').paginate(Bucket=name)\n    return list(pages)",
        "sure",
    ),
    "pages of a generator with its type": (
        "from collections.abc import AsyncIterator\nasync def pages(client) -> AsyncIterator[list]:\n    token = None\n    while True:\n        page = await client.list(page_token=token)\n        yield page\n        token = page['next']\nasync def f(client):\n    return [each async for page in pages(client) for each in page]",
        "likely",
    ),
    "what a generator draws, page by page": (
        "async def pages(client, path):\n    cursor = None\n    while True:\n        page = await client.get(path, params={'cursor': cursor} if cursor else None)\n        yield page\n        cursor = page['next']\nasync def f(client):\n    return [each async for page in pages(client, '/a') for each in page]",
        "likely",
    ),
    "names that are looped and counted": (
        "from pathlib import Path\ndef f(root: Path):\n    found = list(root.rglob('*.jpg'))\n    for each in found: print(each)\n    return len(found)",
        "likely",
    ),
    "parts until there are none": (
        "import psycopg\ndef f(dsn):\n    with psycopg.connect(dsn) as db, db.cursor('a') as cur:\n        return [page for page in iter(lambda: cur.fetchmany(100), [])]",
        "sure",
    ),
    "keys of Redis": ("def f():\n    return list(redis.Redis().scan_iter('a:*'))", "sure"),
    "rows of a file, in a loop": (
        "def f(path):\n    with open(path) as file:\n        for row in list(csv.reader(file)): print(row)",
        "sure",
    ),
    "names of one kind in a loop": (
        "import pathlib\ndef f(folder: pathlib.Path):\n    for path in list(folder.rglob('*.bin')): print(path)",
        "likely",
    ),
    "keys": ("def f():\n    keys = redis.Redis().keys('a:*')\n    return len(keys)", "sure"),
    "batches by their method": (
        "def f(source):\n    return [row for batch in source.iter_batches() for row in batch]",
        "likely",
    ),
    "batches in a chain": (
        "import itertools\ndef f(source):\n    return list(itertools.chain.from_iterable(source.iter_batches()))",
        "likely",
    ),
    "a generator over batches": (
        "def rows(source):\n    for batch in source.iter_batches():\n        yield from batch\ndef f(source):\n    return list(rows(source))",
        "likely",
    ),
    "a walk in a loop": ("def f(path):\n    for folder in list(os.walk(path)): print(folder)", "sure"),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW202", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW202", HEAD + text)] == [confidence]


def test_a_folder_may_have_few_entries(said):
    """It is a doubt, which is not told by default."""
    text = HEAD + "def f(path):\n    return list(os.scandir(path))"
    assert said("FW202", text) == []
    assert [how for _line, how in said("FW202", text, "maybe")] == ["maybe"]
