"""Loops that collect a stream."""

from __future__ import annotations

import pytest

HEAD = """
import csv
import json
import os
import pandas as pd
import pyarrow.parquet as pq
"""

NOTHING = {
    "some of a collection": "import pymongo\ndef f(uri, write, key):\n    found = []\n    for each in pymongo.MongoClient(uri).shop.orders.find({'city': key}): found.append(each)\n    write(found)",
    "an address that is asked again": "import requests\ndef f(url, write):\n    found = []\n    while len(found) < 9:\n        answer = requests.get(url)\n        found.append(answer)\n    write(found)",
    "names of a document's head": "from xml.etree import ElementTree\ndef f(path, write):\n    found = []\n    for _, each in ElementTree.iterparse(path, events=['start-ns']): found.append(each)\n    write(found)",
    "what is not there yet": "def f(path, write):\n    kinds = []\n    for row in csv.DictReader(open(path)):\n        if row['kind'] not in kinds:\n            kinds.append(row['kind'])\n    write(kinds)",
    "what a program says": "import subprocess\ndef f(program, write):\n    rows = []\n    for row in csv.reader(program.stdout): rows.append(row)\n    write(rows)",
    "until there is enough": "def f(path, most, write):\n    rows = []\n    for row in csv.DictReader(open(path)):\n        rows.append(row)\n        if row['n'] >= most:\n            break\n    write(rows)",
    "what went wrong": "def f(path, write):\n    errors = []\n    for row in csv.DictReader(open(path)): errors.append(row['a'])\n    write(errors)",
    "an answer that is looked through": "def f(channel, write):\n    said = b''\n    while True:\n        part = channel.recv(100)\n        if not part: break\n        said += part\n        if b'password' in said: write(said)\n    write(said)",
    "the one that there has to be": "def f(path, write):\n    found = []\n    for batch in pq.ParquetFile(path).iter_batches(): found.append(batch)\n    assert len(found) == 1\n    write(found)",
    "the first, behind which the loop is left": "def f(path, write):\n    rows = []\n    for row in csv.DictReader(open(path)):\n        if row['a']: rows.append(row)\n        else: rows.append(None)\n        break\n    write(rows)",
    "each is written": "def f(path, write):\n    for batch in pq.ParquetFile(path).iter_batches(): write(batch)",
    "emptied when it is full": "def f(path, write):\n    rows = []\n    for batch in pq.ParquetFile(path).iter_batches():\n        rows.append(batch)\n        if len(rows) > 10:\n            write(rows)\n            rows.clear()",
    "counts by key": "def f(path):\n    counts = {}\n    for row in csv.DictReader(open(path)):\n        counts[row['country']] = counts.get(row['country'], 0) + 1\n    return counts",
    "a list of a list": "def f(names):\n    out = []\n    for name in names: out.append(name.upper())\n    return out",
    "not used behind it": "def f(path):\n    seen = []\n    for batch in pq.ParquetFile(path).iter_batches(): seen.append(batch)",
    "each part is written": "import psycopg\ndef f(dsn, write):\n    cur = psycopg.connect(dsn).cursor('a')\n    while chunk := cur.fetchmany(100): write(chunk)",
    "as many as are asked for": "import psycopg\ndef f(dsn, write, most):\n    rows = []\n    cur = psycopg.connect(dsn).cursor('a')\n    while len(rows) < most:\n        rows.extend(cur.fetchmany(100))\n    write(rows)",
    "one page": "def f(client, write):\n    rows = []\n    while True:\n        page = client.list(limit=9)\n        rows.extend(page)\n        if page: break\n    write(rows)",
    "lines of a text": "def f(path):\n    lines = []\n    for line in open(path): lines.append(line.strip())\n    return lines",
}

FOUND = {
    "what is uploaded, in parts": (
        "async def f(part, store):\n    data = bytearray()\n    while True:\n        chunk = await part.read_chunk()\n        if not chunk: break\n        data += chunk\n    await store.put(bytes(data))",
        "likely",
    ),
    "lines that are only counted": (
        "def f(path):\n    bad = []\n    with open(path) as log:\n        for line in log:\n            if 'x' in line: bad.append(line)\n    return len(bad)",
        "likely",
    ),
    "a whole collection": (
        "import pymongo\ndef f(uri, write):\n    found = {}\n    for each in pymongo.MongoClient(uri)['shop'].orders.find({}, {'a': 1}).sort('a'): found[each['_id']] = each\n    write(found)",
        "likely",
    ),
    "pages by their links": (
        "import requests\ndef f(url, write):\n    rows = []\n    session = requests.Session()\n    while url:\n        answer = session.get(url).json()\n        rows.extend(answer['results'])\n        url = answer.get('next')\n    write(rows)",
        "likely",
    ),
    "packed lines, some of which are counted": (
        "import gzip\ndef f(path):\n    bad = []\n    with gzip.open(path, 'rt') as file:\n        for line in file:\n            if 'x' in line: bad.append(line)\n    return len(bad)",
        "likely",
    ),
    "amounts that are only added up": (
        "import psycopg\ndef f(dsn, year):\n    amounts = []\n    with psycopg.connect(dsn) as db, db.cursor(name='a') as cur:\n        cur.execute('SELECT a FROM t WHERE b = %s', (year,))\n        for (amount,) in cur:\n            if amount: amounts.append(amount)\n    return sum(amounts)",
        "likely",
    ),
    "records of sequences": (
        "from Bio import SeqIO\ndef f(path):\n    good = []\n    for record in SeqIO.parse(path, 'fastq'): good.append(record)\n    return len(good)",
        "sure",
    ),
    "batches": (
        "def f(path, write):\n    rows = []\n    for batch in pq.ParquetFile(path).iter_batches():\n        rows.append(batch)\n    write(rows)",
        "sure",
    ),
    "chunks of a frame": (
        "def f(path):\n    parts = []\n    for chunk in pd.read_csv(path, chunksize=1000):\n        parts.append(chunk)\n    return pd.concat(parts)",
        "sure",
    ),
    "rows, to be counted": (
        "def f(path):\n    rows = []\n    for row in csv.DictReader(open(path)):\n        rows.append(row)\n    return len(rows)",
        "sure",
    ),
    "parts of a cursor that are asked for": (
        "import psycopg\ndef f(dsn, write):\n    rows = []\n    cur = psycopg.connect(dsn).cursor('a')\n    while chunk := cur.fetchmany(100):\n        for row in chunk: rows.append(row)\n    write(rows)",
        "sure",
    ),
    "pages by a token": (
        "def f(client, write):\n    rows, token = [], None\n    rows = []\n    while True:\n        page = client.list(page_token=token)\n        rows.extend(page['items'])\n        token = page['next']\n        if not page: break\n    write(rows)",
        "likely",
    ),
    "messages, by their keys": (
        "import confluent_kafka\ndef f(write):\n    last = {}\n    consumer = confluent_kafka.Consumer({})\n    while True:\n        message = consumer.poll(1.0)\n        if message is None: break\n        last[message.key()] = message.value()\n    write(last)",
        "sure",
    ),
    "until one has no next": (
        "def f(path, write):\n    rows = []\n    for batch in pq.ParquetFile(path).iter_batches():\n        rows.append(batch)\n        if batch: continue\n        break\n    write(rows)",
        "sure",
    ),
    "rows of groups, of which one has an end": (
        "def f(path, write):\n    rows = []\n    for batch in pq.ParquetFile(path).iter_batches():\n        for each in batch:\n            rows.append(each)\n            break\n    write(rows)",
        "sure",
    ),
    "rows that go into a sheet": (
        "def f(path, sheet):\n    rows = []\n    for row in csv.DictReader(open(path)): rows.append(row)\n    for row in rows: sheet.append(row)",
        "sure",
    ),
    "lines of JSON": (
        "def f(path):\n    rows = []\n    for line in open(path):\n        rows.append(json.loads(line))\n    save(rows)",
        "likely",
    ),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW201", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW201", HEAD + text)] == [confidence]


def test_names_of_files_may_be_few(said):
    """It is a doubt, which is not told by default."""
    text = (
        HEAD
        + "def f(root):\n    names = []\n    for folder, _, files in os.walk(root):\n        names.extend(files)\n    return names"
    )
    assert said("FW201", text) == []
    assert [how for _line, how in said("FW201", text, "maybe")] == ["maybe"]
