"""Things that are copied whole to add to them."""

from __future__ import annotations

import pytest

HEAD = """
import numpy as np
import pandas as pd
"""

NOTHING = {
    "a list that is bound again": "def f(parts):\n    out = []\n    for part in parts: out.append(part)\n    return out",
    "lines of any file": "def f(path):\n    out = ''\n    for line in open(path): out += line\n    return out",
    "rows of one key": "import sqlite3\ndef f(db: sqlite3.Connection, key):\n    out = ''\n    for (a,) in db.execute('SELECT a FROM orders WHERE customer_id = ?', (key,)): out += a\n    return out",
    "a line, sign by sign": "def f(sock):\n    line, sign = b'', None\n    while sign != b'\\n':\n        sign = sock.recv(1)\n        line += sign\n    return line",
    "until something is in it": "def f(sock):\n    said = b''\n    while True:\n        part = sock.recv(100)\n        if not part: break\n        said += part\n        if b'ready' in said: print(said)\n    return said",
    "once": "def f(sock):\n    said = b''\n    while True:\n        part = sock.recv(100)\n        said += part\n        break\n    return said",
    "what is in one batch": "def f(batch):\n    out = None\n    for item in batch:\n        if out is None: out = item\n        else: out = np.vstack((out, item))\n    return out",
    "tables of something": "def f(detectors, read):\n    out = pd.DataFrame()\n    for each in detectors: out = pd.concat([out, read(each)])\n    return out",
    "pages that are counted": "def f(pages, read):\n    out = pd.DataFrame()\n    for page in range(pages): out = pd.concat([out, read(page)])\n    return out",
    "what an answer has": "def f(answer, read):\n    out = pd.DataFrame()\n    for each in answer.json()['rows']: out = pd.concat([out, read(each)])\n    return out",
    "a head": "def f(file):\n    head = b''\n    for line in open(file, 'rb'):\n        if line == b'end': break\n        head += line\n    return head",
    "a list that is joined once": "import torch\ndef f(steps):\n    probs = []\n    for step in steps:\n        probs = torch.cat(probs, dim=0)\n        break\n    return probs",
    "arrays of something": "def f(detectors):\n    out = np.array([])\n    for each in detectors: out = np.append(out, each)\n    return out",
    "columns of tensors": "import torch\ndef f(parts):\n    out = None\n    for part in parts:\n        out = part if out is None else torch.cat([out, part], dim=1)\n    return out",
    "what the next step needs": "def f(rows, step):\n    out = np.array([])\n    for row in rows:\n        part = step(out[-1:])\n        out = np.append(out, part)\n    return out",
    "once behind the loop": "def f(parts):\n    return pd.concat([p for p in parts])",
    "a few that are written down": "frame = pd.DataFrame()\nfor part in [1, 2]:\n    frame = pd.concat([frame, part])",
    "a new one in each round": "def f(images):\n    for image in images:\n        image = np.concatenate([image, image])\n        print(image)",
    "numbers": "def f(rows):\n    total = 0\n    for row in rows: total += row\n    return total",
    "what is taken out when it is complete": "import asyncio\nclass P(asyncio.Protocol):\n    def data_received(self, data):\n        self.buffer += data\n        line, _, self.buffer = self.buffer.partition(b'\\n')",
    "what somebody's class is given": "class P:\n    def data_received(self, data):\n        self.buffer += data",
    "as much as was asked for": "def f(sock, size):\n    data = b''\n    while size > 0:\n        part = sock.recv(size)\n        if not part: raise EOFError\n        data += part\n        size -= len(part)\n    return data",
    "a window": "def f(blocks):\n    out = np.array([])\n    for block in blocks: out = np.concatenate([out, block])[-4096:]\n    return out",
    "so many bytes": "def f(sock, n):\n    data = b''\n    while len(data) < n: data += sock.recv(n - len(data))\n    return data",
    "until a head is in it": "def f(sock):\n    data = b''\n    while b'\\r\\n' not in data: data += sock.recv(4096)\n    return data",
    "until it is long enough": "def f(stream):\n    data = b''\n    for part in stream:\n        data += part\n        if len(data) > 10: break\n    return data",
}

FOUND = {
    "a frame with its own method": (
        "def f(batches):\n    found = None\n    for batch in batches:\n        if found is None: found = batch\n        else: found = found.vstack(batch)\n    return found",
        "likely",
    ),
    "rows of a table": (
        "import sqlite3\ndef f(db: sqlite3.Connection):\n    out = ''\n    for (a,) in db.execute('SELECT a FROM pages'): out += a\n    return out",
        "likely",
    ),
    "packed lines": (
        "import gzip\ndef f(path):\n    out = ''\n    with gzip.open(path, 'rt') as file:\n        for line in file: out += line.strip()\n    return out",
        "likely",
    ),
    "lines that are streamed": (
        "import httpx\nasync def f(client: httpx.AsyncClient):\n    out = ''\n    async with client.stream('GET', '/') as answer:\n        async for line in answer.aiter_lines(): out = out + line + '|'\n    return out",
        "likely",
    ),
    "files of a folder, in order": (
        "from pathlib import Path\ndef f(folder: Path):\n    out = pd.DataFrame()\n    for path in sorted(folder.glob('sales-*.csv')): out = pd.concat([out, pd.read_csv(path)])\n    return out",
        "likely",
    ),
    "frames": (
        "def f(parts):\n    frame = pd.DataFrame()\n    for part in parts:\n        frame = pd.concat([frame, part])\n    return frame",
        "likely",
    ),
    "an array from nothing": (
        "def f(parts):\n    out = None\n    for part in parts:\n        if out is None:\n            out = part\n        else:\n            out = np.concatenate([out, part])\n    return out",
        "likely",
    ),
    "all that a peer sends": (
        "import asyncio\nclass P(asyncio.Protocol):\n    def __init__(self): self.buffer = b''\n    def data_received(self, data):\n        self.buffer += data\n    def eof_received(self): print(self.buffer)",
        "likely",
    ),
    "rows of a queryset that is handed in": (
        "def f(queryset):\n    out = ''\n    for row in queryset.iterator(): out += str(row)\n    return out",
        "likely",
    ),
    "an attribute": (
        "class A:\n    def __init__(self): self.frame = pd.DataFrame()\n    def run(self, batches):\n        for batch in batches: self.frame = pd.concat([self.frame, batch])",
        "likely",
    ),
    "rows of a shape": (
        "def f(texts, embed):\n    out = np.empty((0, 768))\n    for text in texts: out = np.vstack([out, embed(text)])\n    return out",
        "likely",
    ),
    "for ever": (
        "def f(stop, read):\n    out = np.array([])\n    while not stop.is_set(): out = np.append(out, read())\n    return out",
        "likely",
    ),
    "what a peer sends": (
        "def f(sock):\n    data = b''\n    while True:\n        part = sock.recv(4096)\n        if not part: break\n        data += part\n    return data",
        "likely",
    ),
    "text of an answer": (
        "import requests\ndef f(url):\n    body = ''\n    with requests.get(url, stream=True) as answer:\n        for part in answer.iter_content(1024): body += part.decode()\n    return body",
        "likely",
    ),
    "lines of a file": (
        "def f(path):\n    html = b''\n    with open(path, 'rb') as file:\n        for line in file:\n            html += line\n    return html",
        "likely",
    ),
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_nothing_is_said(said, text):
    """Of what is bounded, and of what nobody knows the type of."""
    assert said("FW204", HEAD + text) == []


@pytest.mark.parametrize(("text", "confidence"), FOUND.values(), ids=FOUND)
def test_it_is_found(said, text, confidence):
    """Where there is a reason, with how good it is."""
    assert [how for _line, how in said("FW204", HEAD + text)] == [confidence]


def test_text_in_a_loop(said):
    """It is a doubt, which is not told by default."""
    text = HEAD + "def f(rows):\n    out = ''\n    for row in rows: out += str(row)\n    return out"
    assert said("FW204", text) == []
    assert [how for _line, how in said("FW204", text, "maybe")] == ["maybe"]
